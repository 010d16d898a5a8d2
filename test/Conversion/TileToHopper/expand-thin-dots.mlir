// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(mmc-expand-thin-dots)' | FileCheck %s
// Products with one row become a product with the broadcast row and a sum along k; outer products two broadcasts.

// CHECK-LABEL: tile.kernel @one_row
// CHECK: %[[VECTOR:.*]] = tile.load %arg0[%c0, %c0] along [1] : !tile.view<1x64xf32> -> tensor<64xf32>
// CHECK: %[[B:.*]] = tile.load %arg1
// CHECK-NOT: tile.dot
// CHECK: %[[SPREAD:.*]] = tile.broadcast %[[VECTOR]] to [0] : tensor<64xf32> -> tensor<64x32xf32>
// CHECK: %[[TERMS:.*]] = arith.mulf %[[SPREAD]], %[[B]] : tensor<64x32xf32>
// CHECK: %[[SUM:.*]] = tile.reduce add %[[TERMS]] along 0 : tensor<64x32xf32> -> tensor<32xf32>
// CHECK: %[[ROW:.*]] = tile.reshape %[[SUM]] : tensor<32xf32> -> tensor<1x32xf32>
// CHECK: tile.store %[[ROW]]
tile.kernel @one_row(%q: !tile.view<1x64xf32> {tile.access = "read"}, %s: !tile.view<64x32xf32> {tile.access = "read"},
    %y: !tile.view<1x32xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<1x64xf32> -> tensor<1x64xf32>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x32xf32> -> tensor<64x32xf32>
  %Y = tile.dot %A, %B : tensor<1x64xf32>, tensor<64x32xf32> -> tensor<1x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x32xf32>, !tile.view<1x32xf32>
  tile.return
}

// -----

// Operands of bf16 are widened; a transposed second operand is summed along its second dimension; the accumulator is added.
// CHECK-LABEL: tile.kernel @transposed
// CHECK: %[[A:.*]] = tile.load %arg0[%c0, %c0] along [1]
// CHECK: %[[B:.*]] = tile.load %arg1
// CHECK: %[[ACC:.*]] = tile.load %arg2
// CHECK-DAG: %[[WIDE:.*]] = arith.extf %[[B]] : tensor<32x64xbf16> to tensor<32x64xf32>
// CHECK-DAG: arith.extf %[[A]] : tensor<64xbf16> to tensor<64xf32>
// CHECK: %[[TERMS:.*]] = arith.mulf %{{.*}}, %[[WIDE]] : tensor<32x64xf32>
// CHECK: tile.reduce add %[[TERMS]] along 1
// CHECK: %[[ROW:.*]] = tile.reshape
// CHECK: arith.addf %[[ACC]], %[[ROW]] : tensor<1x32xf32>
tile.kernel @transposed(%q: !tile.view<1x64xbf16> {tile.access = "read"}, %s: !tile.view<32x64xbf16> {tile.access = "read"},
    %y: !tile.view<1x32xf32> {tile.access = "readwrite"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<1x64xbf16> -> tensor<1x64xbf16>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<32x64xbf16> -> tensor<32x64xbf16>
  %C = tile.load %y[%c0, %c0] along [0, 1] : !tile.view<1x32xf32> -> tensor<1x32xf32>
  %Y = tile.dot %A, %B acc(%C) transpose_b : tensor<1x64xbf16>, tensor<32x64xbf16> -> tensor<1x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x32xf32>, !tile.view<1x32xf32>
  tile.return
}

// -----

// k = 1: acc[m, n] + a[m] b[n].
// CHECK-LABEL: tile.kernel @outer
// CHECK: %[[K:.*]] = tile.load %arg0[%c0, %c0] along [1]
// CHECK: %[[V:.*]] = tile.load %arg1[%c0, %c0] along [1]
// CHECK: %[[S:.*]] = tile.load %arg2
// CHECK-DAG: tile.broadcast %[[K]] to [0] : tensor<64xf32> -> tensor<64x32xf32>
// CHECK-DAG: tile.broadcast %[[V]] to [1] : tensor<32xf32> -> tensor<64x32xf32>
// CHECK: %[[PRODUCT:.*]] = arith.mulf
// CHECK: arith.addf %[[S]], %[[PRODUCT]] : tensor<64x32xf32>
// CHECK-NOT: tile.dot
tile.kernel @outer(%k: !tile.view<1x64xf32> {tile.access = "read"}, %v: !tile.view<1x32xf32> {tile.access = "read"},
    %s: !tile.view<64x32xf32> {tile.access = "readwrite"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %K = tile.load %k[%c0, %c0] along [0, 1] : !tile.view<1x64xf32> -> tensor<1x64xf32>
  %V = tile.load %v[%c0, %c0] along [0, 1] : !tile.view<1x32xf32> -> tensor<1x32xf32>
  %S = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x32xf32> -> tensor<64x32xf32>
  %N = tile.dot %K, %V acc(%S) transpose_a : tensor<1x64xf32>, tensor<1x32xf32> -> tensor<64x32xf32>
  tile.store %N, %s[%c0, %c0] along [0, 1] : tensor<64x32xf32>, !tile.view<64x32xf32>
  tile.return
}

// -----

// 512 x 64 elements do not fit a block's registers: a loop takes k in pieces of 256, and its terms are summed after it.
// CHECK-LABEL: tile.kernel @in_pieces
// CHECK: %[[TERMS:.*]] = scf.for %[[AT:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (tensor<256x64xf32>) {
// CHECK-DAG: tile.load %{{.*}} -> tensor<256xf32>
// CHECK-DAG: tile.load %{{.*}} -> tensor<256x64xf32>
// CHECK: arith.addf %[[SUM]], %{{.*}} : tensor<256x64xf32>
// CHECK: tile.reduce add %[[TERMS]] along 0 : tensor<256x64xf32> -> tensor<64xf32>
tile.kernel @in_pieces(%q: !tile.view<1x512xf32> {tile.access = "read"}, %s: !tile.view<512x64xf32> {tile.access = "read"},
    %y: !tile.view<1x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<1x512xf32> -> tensor<1x512xf32>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<512x64xf32> -> tensor<512x64xf32>
  %Y = tile.dot %A, %B : tensor<1x512xf32>, tensor<512x64xf32> -> tensor<1x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x64xf32>, !tile.view<1x64xf32>
  tile.return
}

// -----

// A row that is computed is computed piece by piece, from what it is made of; a scalar of the whole row stays outside.
// CHECK-LABEL: tile.kernel @computed
// CHECK: %[[SUM:.*]] = tile.reduce add
// CHECK: tile.store %{{.*}}, %arg2
// CHECK: scf.for
// CHECK-DAG: %[[X:.*]] = tile.load %arg0[%c0, %{{.*}}] along [1] : !tile.view<1x512xf32> -> tensor<256xf32>
// CHECK-DAG: %[[S:.*]] = tile.broadcast %[[SUM]] to [] : f32 -> tensor<256xf32>
// CHECK-DAG: %[[N:.*]] = arith.mulf %[[X]], %[[S]] : tensor<256xf32>
// CHECK-DAG: %[[R:.*]] = arith.truncf %[[N]] : tensor<256xf32> to tensor<256xbf16>
// CHECK: arith.addf
tile.kernel @computed(%x: !tile.view<1x512xf32> {tile.access = "read"}, %s: !tile.view<512x64xf32> {tile.access = "read"},
    %n: !tile.view<512xbf16> {tile.access = "write"}, %y: !tile.view<1x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %x0 = tile.load %x[%c0, %c0] along [1] : !tile.view<1x512xf32> -> tensor<512xf32>
  %sum = tile.reduce add %x0 along 0 : tensor<512xf32> -> f32
  %Sum = tile.broadcast %sum to [] : f32 -> tensor<512xf32>
  %x1 = arith.mulf %x0, %Sum : tensor<512xf32>
  %x2 = arith.truncf %x1 : tensor<512xf32> to tensor<512xbf16>
  tile.store %x2, %n[%c0] along [0] : tensor<512xbf16>, !tile.view<512xbf16>
  %row = tile.reshape %x2 : tensor<512xbf16> -> tensor<1x512xbf16>
  %A = arith.extf %row : tensor<1x512xbf16> to tensor<1x512xf32>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<512x64xf32> -> tensor<512x64xf32>
  %Y = tile.dot %A, %B : tensor<1x512xf32>, tensor<512x64xf32> -> tensor<1x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x64xf32>, !tile.view<1x64xf32>
  tile.return
}

// -----

// Two rows are left to the tensor cores.
// CHECK-LABEL: tile.kernel @two_rows
// CHECK: tile.dot
tile.kernel @two_rows(%q: !tile.view<2x64xf32> {tile.access = "read"}, %s: !tile.view<64x32xf32> {tile.access = "read"},
    %y: !tile.view<2x32xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<2x64xf32> -> tensor<2x64xf32>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x32xf32> -> tensor<64x32xf32>
  %Y = tile.dot %A, %B : tensor<2x64xf32>, tensor<64x32xf32> -> tensor<2x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<2x32xf32>, !tile.view<2x32xf32>
  tile.return
}

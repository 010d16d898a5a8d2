// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(mmc-round-dot-operands)' | FileCheck %s
// Products in float32 get operands of bf16: what was widened from bf16 as it was, everything else by a truncation.

// CHECK-LABEL: tile.kernel @rounded
// CHECK-SAME: %[[S:.*]]: !tile.view<64x64xf32>
// CHECK: %[[A:.*]] = tile.load %[[S]]
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[A]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK: %[[B:.*]] = tile.load
// CHECK: %[[WIDE:.*]] = arith.extf %[[B]]
// CHECK: tile.dot %[[ROUNDED]], %[[B]] : tensor<64x64xbf16>, tensor<64x32xbf16> -> tensor<64x32xf32>
tile.kernel @rounded(%s: !tile.view<64x64xf32> {tile.access = "read"}, %v: !tile.view<64x32xbf16> {tile.access = "read"},
    %y: !tile.view<64x32xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  %B = tile.load %v[%c0, %c0] along [0, 1] : !tile.view<64x32xbf16> -> tensor<64x32xbf16>
  %W = arith.extf %B : tensor<64x32xbf16> to tensor<64x32xf32>
  %Y = tile.dot %A, %W : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x32xf32>, !tile.view<64x32xf32>
  tile.return
}

// -----

// What a loop does not change is rounded in front of it.
// CHECK-LABEL: tile.kernel @in_front
// CHECK: %[[A:.*]] = tile.load
// CHECK-NEXT: %[[ROUNDED:.*]] = arith.truncf %[[A]]
// CHECK: scf.for
// CHECK: tile.dot %[[ROUNDED]],
tile.kernel @in_front(%s: !tile.view<64x64xf32> {tile.access = "read"}, %v: !tile.view<64x32xbf16> {tile.access = "read"},
    %y: !tile.view<64x32xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %A = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  %zero = arith.constant dense<0.0> : tensor<64x32xf32>
  %Y = scf.for %r = %c0 to %c1 step %c1 iter_args(%sum = %zero) -> (tensor<64x32xf32>) {
    %B = tile.load %v[%c0, %c0] along [0, 1] : !tile.view<64x32xbf16> -> tensor<64x32xbf16>
    %W = arith.extf %B : tensor<64x32xbf16> to tensor<64x32xf32>
    %P = tile.dot %A, %W acc(%sum) : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    scf.yield %P : tensor<64x32xf32>
  }
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x32xf32>, !tile.view<64x32xf32>
  tile.return
}

// -----

// One value on both sides is rounded once; flags and the accumulator stay.
// CHECK-LABEL: tile.kernel @both_sides
// CHECK: %[[A:.*]] = tile.load
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[A]]
// CHECK-NOT: arith.truncf
// CHECK: tile.dot %[[ROUNDED]], %[[ROUNDED]] acc(%[[A]]) transpose_b
tile.kernel @both_sides(%s: !tile.view<64x64xf32> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  %Y = tile.dot %A, %A acc(%A) transpose_b : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// One row is left in float32, and so is what has bf16 operands already.
// CHECK-LABEL: tile.kernel @left_alone
// CHECK-NOT: arith.truncf
// CHECK: tile.dot {{.*}} : tensor<1x64xf32>, tensor<64x32xf32> -> tensor<1x32xf32>
// CHECK: tile.dot {{.*}} : tensor<64x32xbf16>, tensor<64x32xbf16> -> tensor<64x64xf32>
// CHECK-NOT: arith.truncf
tile.kernel @left_alone(%q: !tile.view<1x64xf32> {tile.access = "read"}, %s: !tile.view<64x32xf32> {tile.access = "read"},
    %v: !tile.view<64x32xbf16> {tile.access = "read"}, %y: !tile.view<1x32xf32> {tile.access = "write"},
    %z: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %q[%c0, %c0] along [0, 1] : !tile.view<1x64xf32> -> tensor<1x64xf32>
  %B = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<64x32xf32> -> tensor<64x32xf32>
  %Y = tile.dot %A, %B : tensor<1x64xf32>, tensor<64x32xf32> -> tensor<1x32xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x32xf32>, !tile.view<1x32xf32>
  %V = tile.load %v[%c0, %c0] along [0, 1] : !tile.view<64x32xbf16> -> tensor<64x32xbf16>
  %Z = tile.dot %V, %V transpose_b : tensor<64x32xbf16>, tensor<64x32xbf16> -> tensor<64x64xf32>
  tile.store %Z, %z[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(mmc-lower-tile-to-vector{variant=x86-64-v3},canonicalize,cse)' | FileCheck %s
// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(mmc-lower-tile-to-vector{variant=avx512-bf16},canonicalize,cse)' | FileCheck %s --check-prefix=WIDE
// Tile kernels become functions over vectors as wide as a register: row kernels with a masked tail, products with accumulators as loop values.

// bf16 is carried as i16; of 20 columns two vectors are whole and the third has four lanes.
// CHECK-LABEL: func.func @widen__x86_64_v3(
// CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %{{.*}}: !llvm.ptr)
// CHECK-SAME: mmc.scratch_bytes = 0
// CHECK-DAG: %[[B:.*]] = arith.index_cast %[[BEGIN]] : i64 to index
// CHECK-DAG: %[[E:.*]] = arith.index_cast %[[END]] : i64 to index
// CHECK: scf.for %{{.*}} = %[[B]] to %[[E]]
// CHECK: %[[READ:.*]] = llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<8xi16>
// CHECK: arith.extui %[[READ]]
// CHECK: llvm.store %{{.*}} : vector<8xf32>, !llvm.ptr
// CHECK: llvm.store %{{.*}} : vector<8xf32>, !llvm.ptr
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
// CHECK-NOT: tile.
// WIDE-LABEL: func.func @widen__avx512_bf16(
// WIDE-SAME: "target-features", "+avx512bf16"
// WIDE: llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<16xi16>
tile.kernel @widen(%x: !tile.view<?x20xbf16> {tile.access = "read"}, %y: !tile.view<?x20xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x20xbf16> -> tensor<20xbf16>
  %w = arith.extf %v : tensor<20xbf16> to tensor<20xf32>
  tile.store %w, %y[%r, %c0] along [1] : tensor<20xf32>, !tile.view<?x20xf32>
  tile.return
}

// -----

// A row's sum: lanes side by side, then a tree across lanes.
// CHECK-LABEL: func.func @sum__x86_64_v3(
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [4, 5, 6, 7]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [2, 3]
// CHECK: vector.extract
tile.kernel @sum(%x: !tile.view<?x16xf32> {tile.access = "read"}, %y: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x16xf32> -> tensor<16xf32>
  %s = tile.reduce add %v along 0 : tensor<16xf32> -> f32
  tile.store %s, %y[%r] along [] : f32, !tile.view<?xf32>
  tile.return
}

// -----

// Two rows of A, one panel of 16 columns: four accumulators of a loop over k, and the epilogue on them.
// CHECK-LABEL: func.func @product__x86_64_v3(
// CHECK: %[[SUM:.*]]:4 = scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args(
// CHECK: %[[W0:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK: %[[W1:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK: %[[A:.*]] = vector.broadcast %{{.*}} : f32 to vector<8xf32>
// CHECK: math.fma %[[A]], %[[W0]], %{{.*}}
// CHECK: math.fma %[[A]], %[[W1]], %{{.*}}
// CHECK: arith.negf %[[SUM]]#0
// CHECK-NEXT: llvm.store
// WIDE-LABEL: func.func @product__avx512_bf16(
// WIDE: scf.for %{{.*}} -> (vector<16xf32>, vector<16xf32>)
tile.kernel @product(%a: !tile.view<2x8xf32> {tile.access = "read"}, %w: !tile.view<16x8xf32, #tile.panels<n = 16, k = 1, pad = 64>> {tile.access = "read"},
    %y: !tile.view<2x16xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<2x8xf32> -> tensor<2x8xf32>
  %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<16x8xf32, #tile.panels<n = 16, k = 1, pad = 64>> -> tensor<16x8xf32>
  %Y = tile.dot %A, %W transpose_b : tensor<2x8xf32>, tensor<16x8xf32> -> tensor<2x16xf32>
  %N = arith.negf %Y : tensor<2x16xf32>
  tile.store %N, %y[%c0, %c0] along [0, 1] : tensor<2x16xf32>, !tile.view<2x16xf32>
  tile.return
}

// -----

// Pairs of bf16: a dot product of pairs where the ISA has one; else A is widened into scratch, and the even k comes first.
// CHECK-LABEL: func.func @pairs__x86_64_v3(
// CHECK-SAME: mmc.scratch_bytes = 64
// CHECK: scf.for %{{.*}} = %c0 to %c4
// CHECK: arith.shli %{{.*}} : vector<8xi32>
// CHECK: math.fma
// CHECK: arith.andi %{{.*}} : vector<8xi32>
// CHECK: math.fma
// WIDE-LABEL: func.func @pairs__avx512_bf16(
// WIDE-SAME: mmc.scratch_bytes = 0
// WIDE: scf.for %{{.*}} = %c0 to %c4
// WIDE: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
tile.kernel @pairs(%a: !tile.view<1x8xbf16> {tile.access = "read"}, %w: !tile.view<16x8xbf16, #tile.panels<n = 16, k = 2, pad = 64>> {tile.access = "read"},
    %y: !tile.view<1x16xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<1x8xbf16> -> tensor<1x8xbf16>
  %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<16x8xbf16, #tile.panels<n = 16, k = 2, pad = 64>> -> tensor<16x8xbf16>
  %Y = tile.dot %A, %W transpose_b : tensor<1x8xbf16>, tensor<16x8xbf16> -> tensor<1x16xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<1x16xf32>, !tile.view<1x16xf32>
  tile.return
}

// -----

// A tile as loop value is a pair of buffers that change places, here with a limit on the rows that are loaded.
// CHECK-LABEL: func.func @carried__x86_64_v3(
// CHECK: %[[FINAL:.*]]:2 = scf.for %{{.*}} iter_args(%[[NOW:.*]] = %{{.*}}, %[[NEXT:.*]] = %{{.*}}) -> (!llvm.ptr, !llvm.ptr)
// CHECK: llvm.load %[[NOW]]
// CHECK: llvm.store %{{.*}}, %[[NEXT]]
// CHECK: scf.yield %[[NEXT]], %[[NOW]]
// CHECK: llvm.load %[[FINAL]]#0
tile.kernel @carried(%x: !tile.view<?x8xf32> {tile.access = "read"}, %y: !tile.view<8xf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %sum = scf.for %r = %c0 to %rows step %c1 iter_args(%s = %zero) -> (tensor<8xf32>) {
    %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x8xf32> -> tensor<8xf32>
    %n = arith.addf %s, %v : tensor<8xf32>
    scf.yield %n : tensor<8xf32>
  }
  tile.store %sum, %y[%c0] along [0] : tensor<8xf32>, !tile.view<8xf32>
  tile.return
}

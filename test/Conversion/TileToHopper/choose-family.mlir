// RUN: %mmc-opt %s --mmc-choose-family=variant=sm_90a | FileCheck %s
// RUN: %mmc-opt %s --mmc-choose-family=variant=sm_80 | FileCheck %s --check-prefix=PORTABLE
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(mmc-choose-family{variant=sm_90a portable=large*})' | FileCheck %s --check-prefix=PORTABLE
// Kernels with products of whole warpgroups' rows get their family for sm_90a; others, other variants and kernels that are named stay as they are.

// CHECK-LABEL: tile.kernel @large_product
// CHECK-SAME: attributes {hopper.family = "wgmma"}
// PORTABLE-NOT: hopper.family
tile.kernel @large_product(%x: !tile.view<64x64xbf16> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16> -> tensor<64x64xbf16>
  %Y = tile.dot %X, %X transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// CHECK-LABEL: tile.kernel @small_product
// CHECK-NOT: hopper.family
tile.kernel @small_product(%x: !tile.view<16x64xbf16> {tile.access = "read"}, %y: !tile.view<16x16xf32> {tile.access = "write"})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<16x64xbf16> -> tensor<16x64xbf16>
  %Y = tile.dot %X, %X transpose_b : tensor<16x64xbf16>, tensor<16x64xbf16> -> tensor<16x16xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<16x16xf32>, !tile.view<16x16xf32>
  tile.return
}

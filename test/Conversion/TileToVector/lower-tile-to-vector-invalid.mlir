// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(mmc-lower-tile-to-vector)'
// What the CPU target does not take is refused by name.

// lower_tile_to_vector_c1
// expected-error@+1 {{expected only work dimension 0 to have a run-time extent, dimension 1 has one}}
tile.kernel @extent(%y: !tile.view<?x8xf32> {tile.access = "write"}) domain(%i in #tile.extent<fixed, 2>, %r in #tile.extent<tokens>) {
  tile.return
}

// -----

// lower_tile_to_vector_c2
tile.kernel @rank(%x: !tile.view<2x2x2x2xf32> {tile.access = "read"}, %y: !tile.view<2x2x2x2xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{expected a tile of rank 1 to 3, got 4}}
  %v = tile.load %x[%c0, %c0, %c0, %c0] along [0, 1, 2, 3] : !tile.view<2x2x2x2xf32> -> tensor<2x2x2x2xf32>
  tile.store %v, %y[%c0, %c0, %c0, %c0] along [0, 1, 2, 3] : tensor<2x2x2x2xf32>, !tile.view<2x2x2x2xf32>
  tile.return
}

// -----

// lower_tile_to_vector_c3
tile.kernel @panels(%w: !tile.view<64x8xf32, #tile.panels<n = 16, k = 1, pad = 64>> {tile.access = "read"}, %y: !tile.view<64x8xf32> {tile.access = "write"})
    domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{in panels may only be an operand of a product}}
  %v = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x8xf32, #tile.panels<n = 16, k = 1, pad = 64>> -> tensor<64x8xf32>
  tile.store %v, %y[%c0, %c0] along [0, 1] : tensor<64x8xf32>, !tile.view<64x8xf32>
  tile.return
}

// -----

// lower_tile_to_vector_c4
tile.kernel @bf16(%x: !tile.view<8xbf16> {tile.access = "read"}, %y: !tile.view<8xbf16> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%c0] along [0] : !tile.view<8xbf16> -> tensor<8xbf16>
  // expected-error@+1 {{expected arithmetic in f32, got bf16}}
  %w = arith.addf %v, %v : tensor<8xbf16>
  tile.store %w, %y[%c0] along [0] : tensor<8xbf16>, !tile.view<8xbf16>
  tile.return
}

// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(mmc-convert-tile-to-hopper)'
// What the conversion does not take is refused by name, at the op, and the kernel is named.

// convert_tile_to_hopper_c1
// expected-remark@+1 {{kernel wide cannot be converted to hopper}}
tile.kernel @wide(%a: !tile.view<64x64xf32> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  // expected-error@+1 {{expected operands of bf16 below mmc-round-dot-operands and mmc-expand-thin-dots}}
  %Y = tile.dot %A, %A : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

// -----

// convert_tile_to_hopper_c2: rank
// expected-remark@+1 {{kernel deep cannot be converted to hopper}}
tile.kernel @deep(%a: !tile.view<2x2x2x8xf32> {tile.access = "read"}, %y: !tile.view<2x2x2x8xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'tile.load' op expected tiles of rank 1 to 3, got 'tensor<2x2x2x8xf32>'}}
  %A = tile.load %a[%c0, %c0, %c0, %c0] along [0, 1, 2, 3] : !tile.view<2x2x2x8xf32> -> tensor<2x2x2x8xf32>
  tile.store %A, %y[%c0, %c0, %c0, %c0] along [0, 1, 2, 3] : tensor<2x2x2x8xf32>, !tile.view<2x2x2x8xf32>
  tile.return
}

// -----

// convert_tile_to_hopper_c3
// expected-remark@+2 {{kernel packed cannot be converted to hopper}}
// expected-error@+1 {{'tile.kernel' op expected strided or paged views, got}}
tile.kernel @packed(%w: !tile.view<64x64xbf16, #tile.panels<n = 16, k = 2, pad = 64>> {tile.access = "read"}, %y: !tile.view<64x64xbf16> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x64xbf16, #tile.panels<n = 16, k = 2, pad = 64>> -> tensor<64x64xbf16>
  tile.store %A, %y[%c0, %c0] along [0, 1] : tensor<64x64xbf16>, !tile.view<64x64xbf16>
  tile.return
}

// -----

// convert_tile_to_hopper_c2
// expected-remark@+1 {{kernel turned cannot be converted to hopper}}
tile.kernel @turned(%a: !tile.view<64x64xf32> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %A = tile.load %a[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>
  // expected-error@+1 {{'tile.transpose' op is not converted to hopper}}
  %T = tile.transpose %A : tensor<64x64xf32> -> tensor<64x64xf32>
  tile.store %T, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
}

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

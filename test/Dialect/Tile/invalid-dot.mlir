// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of products refuses what breaks it.

// dot_c1
tile.kernel @dot_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<3xf32>
  // expected-error @+1 {{expected operands and result of rank 2, got 'tensor<3xf32>'}}
  %r = tile.dot %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2xf32>
  tile.return
}

// -----

// dot_c2
tile.kernel @dot_c2(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected a and b to agree on k, got 3 and 2}}
  %r = tile.dot %a, %b : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  tile.return
}

// -----

// dot_c2_result
tile.kernel @dot_c2_result(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected result of shape 2x2, got 'tensor<2x3xf32>'}}
  %r = tile.dot %a, %b transpose_b : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  tile.return
}

// -----

// dot_c3
tile.kernel @dot_c3(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<3x2xbf16>
  // expected-error @+1 {{expected a and b to be both f32 or both bf16, got 'f32' and 'bf16'}}
  %r = tile.dot %a, %b : tensor<2x3xf32>, tensor<3x2xbf16> -> tensor<2x2xf32>
  tile.return
}

// -----

// dot_c3_result
tile.kernel @dot_c3_result(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xbf16>
  %b = arith.constant dense<0.0> : tensor<3x2xbf16>
  // expected-error @+1 {{expected result elements of f32, got 'bf16'}}
  %r = tile.dot %a, %b : tensor<2x3xbf16>, tensor<3x2xbf16> -> tensor<2x2xbf16>
  tile.return
}


// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of tile.top_k refuses what breaks it.

// top_k_c1
tile.kernel @top_k_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<6xf32>
  // expected-error @+1 {{expected value of rank 2 with float elements, got 'tensor<6xf32>'}}
  %r, %c = tile.top_k %a : tensor<6xf32> -> tensor<2xf32>, tensor<2xi32>
  tile.return
}

// -----

// top_k_c1_values
tile.kernel @top_k_c1_values(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected values to have value's rows and element type, got 'tensor<1x2xf32>' for 'tensor<2x3xf32>'}}
  %r, %c = tile.top_k %a : tensor<2x3xf32> -> tensor<1x2xf32>, tensor<1x2xi32>
  tile.return
}

// -----

// top_k_c1_columns
tile.kernel @top_k_c1_columns(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected columns to have values' shape and elements of i32, got 'tensor<2x2xf32>'}}
  %r, %c = tile.top_k %a : tensor<2x3xf32> -> tensor<2x2xf32>, tensor<2x2xf32>
  tile.return
}

// -----

// top_k_c2
tile.kernel @top_k_c2(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected k to be at most the number of columns 3, got 4}}
  %r, %c = tile.top_k %a : tensor<2x3xf32> -> tensor<2x4xf32>, tensor<2x4xi32>
  tile.return
}

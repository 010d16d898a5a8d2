// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of reductions and maps refuses what breaks it.

// reduce_c1
tile.kernel @reduce_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected dim to be a dimension of a value of rank 2, got 2}}
  %r = tile.reduce add %a along 2 : tensor<2x3xf32> -> tensor<2xf32>
  tile.return
}

// -----

// reduce_c2
tile.kernel @reduce_c2(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected result of type 'tensor<3xf32>', got 'tensor<2xf32>'}}
  %r = tile.reduce add %a along 0 : tensor<2x3xf32> -> tensor<2xf32>
  tile.return
}

// -----

// broadcast_c1
tile.kernel @broadcast_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected one entry of dims per dimension of value, got 1 for rank 2}}
  %r = tile.broadcast %a to [0] : tensor<2x3xf32> -> tensor<2x3xf32>
  tile.return
}

// -----

// broadcast_c1_range
tile.kernel @broadcast_c1_range(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected dims to name dimensions of a result of rank 2, got 2}}
  %r = tile.broadcast %a to [0, 2] : tensor<2x3xf32> -> tensor<2x3xf32>
  tile.return
}

// -----

// broadcast_c1_order
tile.kernel @broadcast_c1_order(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected dims to be strictly increasing, got 1 before 0}}
  %r = tile.broadcast %a to [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  tile.return
}

// -----

// broadcast_c2
tile.kernel @broadcast_c2(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected result dimension 1 to have value's size 3, got 4}}
  %r = tile.broadcast %a to [0, 1] : tensor<2x3xf32> -> tensor<2x4xf32>
  tile.return
}

// -----

// broadcast_c2_type
tile.kernel @broadcast_c2_type(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected result elements of value's type 'f32', got 'f64'}}
  %r = tile.broadcast %a to [0, 1] : tensor<2x3xf32> -> tensor<2x3xf64>
  tile.return
}

// -----

// transpose_c1
tile.kernel @transpose_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected result of type 'tensor<3x2xf32>', got 'tensor<2x3xf32>'}}
  %r = tile.transpose %a : tensor<2x3xf32> -> tensor<2x3xf32>
  tile.return
}

// -----

// transpose_c1_rank
tile.kernel @transpose_c1_rank(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<6xf32>
  // expected-error @+1 {{expected value of rank 2, got 'tensor<6xf32>'}}
  %r = tile.transpose %a : tensor<6xf32> -> tensor<6xf32>
  tile.return
}

// -----

// reshape_c1
tile.kernel @reshape_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %a = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-error @+1 {{expected value and result to have the same element type and number of elements, got 'tensor<2x3xf32>' and 'tensor<5xf32>'}}
  %r = tile.reshape %a : tensor<2x3xf32> -> tensor<5xf32>
  tile.return
}

// -----

// iota_c1
tile.kernel @iota_c1(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected dim to be a dimension of a result of rank 1, got 1}}
  %r = tile.iota 1 : tensor<4xi32>
  tile.return
}

// -----

// iota_c2
tile.kernel @iota_c2(%x: !tile.view<f32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected result elements of i32, got 'f32'}}
  %r = tile.iota 0 : tensor<4xf32>
  tile.return
}

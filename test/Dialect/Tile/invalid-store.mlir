// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of stores refuses what breaks it.

// store_c1
tile.kernel @store_c1(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant dense<0.0> : tensor<8x4xf32>
  // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
  tile.store %v, %x[%p] along [0, 1] : tensor<8x4xf32>, !tile.view<?x4xf32>
  tile.return
}

// -----

// store_c2
tile.kernel @store_c2(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant dense<0.0> : tensor<8x4xf32>
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2, got 2}}
  tile.store %v, %x[%p, %p] along [0, 2] : tensor<8x4xf32>, !tile.view<?x4xf32>
  tile.return
}

// -----

// store_c2_order
tile.kernel @store_c2_order(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant dense<0.0> : tensor<8x4xf32>
  // expected-error @+1 {{expected along to be strictly increasing, got 1 before 0}}
  tile.store %v, %x[%p, %p] along [1, 0] : tensor<8x4xf32>, !tile.view<?x4xf32>
  tile.return
}

// -----

// store_c2_rank
tile.kernel @store_c2_rank(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant dense<0.0> : tensor<8x4xf32>
  // expected-error @+1 {{expected one entry of along per dimension of value, got 1 for rank 2}}
  tile.store %v, %x[%p, %p] along [0] : tensor<8x4xf32>, !tile.view<?x4xf32>
  tile.return
}

// -----

// store_c3
tile.kernel @store_c3(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant dense<0.0> : tensor<8x4xf64>
  // expected-error @+1 {{expected value to have the view's element type 'f32', got 'f64'}}
  tile.store %v, %x[%p, %p] along [0, 1] : tensor<8x4xf64>, !tile.view<?x4xf32>
  tile.return
}

// -----

// store_c4
tile.kernel @store_c4(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %v = arith.constant 0.0 : f32
  // expected-error @+1 {{expected no limit, since value is a scalar}}
  tile.store %v, %x[%p, %p] along [] limit(%p) : f32, !tile.view<?x4xf32>
  tile.return
}

// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of loads and gathers refuses what breaks it.

// load_c1
tile.kernel @load_c1(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
  %t = tile.load %x[%p] along [0, 1] : !tile.view<?x4xf32> -> tensor<8x4xf32>
  tile.return
}

// -----

// load_c2
tile.kernel @load_c2(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2, got 2}}
  %t = tile.load %x[%p, %p] along [0, 2] : !tile.view<?x4xf32> -> tensor<8x4xf32>
  tile.return
}

// -----

// load_c2_order
tile.kernel @load_c2_order(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected along to be strictly increasing, got 1 before 0}}
  %t = tile.load %x[%p, %p] along [1, 0] : !tile.view<?x4xf32> -> tensor<8x4xf32>
  tile.return
}

// -----

// load_c2_rank
tile.kernel @load_c2_rank(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected one entry of along per dimension of result, got 1 for rank 2}}
  %t = tile.load %x[%p, %p] along [0] : !tile.view<?x4xf32> -> tensor<8x4xf32>
  tile.return
}

// -----

// load_c3
tile.kernel @load_c3(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected result to have the view's element type 'f32', got 'f64'}}
  %t = tile.load %x[%p, %p] along [0, 1] : !tile.view<?x4xf32> -> tensor<8x4xf64>
  tile.return
}

// -----

// load_c4
tile.kernel @load_c4(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected no limit, since result is a scalar}}
  %t = tile.load %x[%p, %p] along [] limit(%p) : !tile.view<?x4xf32> -> f32
  tile.return
}

// -----

// gather_c1
tile.kernel @gather_c1(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected one index per view dimension, got 1 for rank 2}}
  %t = tile.gather %x rows %rows[%p] along [0, 1] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
  tile.return
}

// -----

// gather_c2
tile.kernel @gather_c2(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected along to name dimensions of a view of rank 2, got 2}}
  %t = tile.gather %x rows %rows[%p, %p] along [0, 2] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
  tile.return
}

// -----

// gather_c2_order
tile.kernel @gather_c2_order(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected along to be strictly increasing, got 1 before 0}}
  %t = tile.gather %x rows %rows[%p, %p] along [1, 0] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
  tile.return
}

// -----

// gather_c2_rank
tile.kernel @gather_c2_rank(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected one entry of along per dimension of result, got 1 for rank 2}}
  %t = tile.gather %x rows %rows[%p, %p] along [0] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
  tile.return
}

// -----

// gather_c3
tile.kernel @gather_c3(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected result to have the view's element type 'f32', got 'f64'}}
  %t = tile.gather %x rows %rows[%p, %p] along [0, 1] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<8x4xf64>
  tile.return
}

// -----

// gather_c4
tile.kernel @gather_c4(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<8xi32>
  // expected-error @+1 {{expected result of rank 1 or more, got 'tensor<f32>'}}
  %t = tile.gather %x rows %rows[%p, %p] along [] : !tile.view<?x4xf32>, tensor<8xi32> -> tensor<f32>
  tile.return
}

// -----

// gather_c5
tile.kernel @gather_c5(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  %rows = tile.iota 0 : tensor<7xi32>
  // expected-error @+1 {{expected rows to be tensor<8xi32>, one per entry of result dimension 0, got 'tensor<7xi32>'}}
  %t = tile.gather %x rows %rows[%p, %p] along [0] : !tile.view<?x4xf32>, tensor<7xi32> -> tensor<8xf32>
  tile.return
}

// -----

// load_c3_dynamic
tile.kernel @load_c3_dynamic(%x: !tile.view<?x4xf32> {tile.access = "readwrite"}, %w: !tile.view<?xi32> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>) {
  // expected-error @+1 {{expected result to have a static shape, got 'tensor<?xf32>'}}
  %t = tile.load %x[%p, %p] along [0] : !tile.view<?x4xf32> -> tensor<?xf32>
  tile.return
}

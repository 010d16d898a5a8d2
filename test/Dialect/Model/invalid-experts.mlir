// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of router and experts, one violation each.

// route_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<4x65xf32>) {
  // expected-error @+1 {{'model.route' op expected x [tokens, D] and gate [E, D]}}
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<4x65xf32> -> tensor<?x2xf32, #t>, tensor<?x2xi32, #t>
  model.return
}

// -----

// route_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<4x64xf32>) {
  // expected-error @+1 {{'model.route' op expected top_k between 1 and 4, got 5}}
  %w, %e = model.route %x, %g top 5 : tensor<?x64xf32, #t>, tensor<4x64xf32> -> tensor<?x5xf32, #t>, tensor<?x5xi32, #t>
  model.return
}

// -----

// route_c3: experts
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<4x64xf32>) {
  // expected-error @+1 {{'model.route' op expected experts of type 'tensor<?x2xi32, #model.rows<tokens>>'}}
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<4x64xf32> -> tensor<?x2xf32, #t>, tensor<?x3xi32, #t>
  model.return
}

// -----

// experts_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %w: tensor<?x2xf32, #t>, %e: tensor<?x3xi32, #t>, %w1: tensor<4x96x64xf32>, %w2: tensor<4x64x96xf32>) {
  // expected-error @+1 {{'model.experts' op expected weights and experts [tokens, k]}}
  %y = model.experts %x routed(%w, %e) through %w1, %w1, %w2 : tensor<?x64xf32, #t>, tensor<?x2xf32, #t>, tensor<?x3xi32, #t>, tensor<4x96x64xf32>, tensor<4x96x64xf32>, tensor<4x64x96xf32>
  model.return
}

// -----

// experts_c1: rows
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #r>, %w: tensor<?x2xf32, #t>, %e: tensor<?x2xi32, #t>, %w1: tensor<4x96x64xf32>, %w2: tensor<4x64x96xf32>) {
  // expected-error @+1 {{'model.experts' op expected x [tokens, D]}}
  %y = model.experts %x routed(%w, %e) through %w1, %w1, %w2 : tensor<?x64xf32, #r>, tensor<?x2xf32, #t>, tensor<?x2xi32, #t>, tensor<4x96x64xf32>, tensor<4x96x64xf32>, tensor<4x64x96xf32>
  model.return
}

// -----

// experts_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %w: tensor<?x2xf32, #t>, %e: tensor<?x2xi32, #t>, %w1: tensor<4x96x64xf32>, %w2: tensor<4x96x64xf32>) {
  // expected-error @+1 {{'model.experts' op expected gate and up weights [E, F, D] and a down weight [E, D, F]}}
  %y = model.experts %x routed(%w, %e) through %w1, %w1, %w2 : tensor<?x64xf32, #t>, tensor<?x2xf32, #t>, tensor<?x2xi32, #t>, tensor<4x96x64xf32>, tensor<4x96x64xf32>, tensor<4x96x64xf32>
  model.return
}

// -----

// experts_c3
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<8x64xf32>, %w1: tensor<4x96x64xf32>, %w2: tensor<4x64x96xf32>) {
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<8x64xf32> -> tensor<?x2xf32, #t>, tensor<?x2xi32, #t>
  // expected-error @+1 {{'model.experts' op expected weights of the 8 experts that the router knows, got 4}}
  %y = model.experts %x routed(%w, %e) through %w1, %w1, %w2 : tensor<?x64xf32, #t>, tensor<?x2xf32, #t>, tensor<?x2xi32, #t>, tensor<4x96x64xf32>, tensor<4x96x64xf32>, tensor<4x64x96xf32>
  model.return
}

// -----

// route_c3: weights
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<4x64xf32>) {
  // expected-error @+1 {{'model.route' op expected weights of type 'tensor<?x2xf32, #model.rows<tokens>>', got 'tensor<?x3xf32, #model.rows<tokens>>'}}
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<4x64xf32> -> tensor<?x3xf32, #t>, tensor<?x2xi32, #t>
  model.return
}

// -----

// route_c3: element
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<4x64xf32>) {
  // expected-error @+1 {{'model.route' op expected f32 weights, got 'tensor<?x2xbf16, #model.rows<tokens>>'}}
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<4x64xf32> -> tensor<?x2xbf16, #t>, tensor<?x2xi32, #t>
  model.return
}

// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of the decomposed mixture of experts and of dispatches, one violation each.

// permute_c1
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%e: tensor<?xi32, #t>) {
  // expected-error @+1 {{'model.permute' op expected experts [tokens, k]}}
  %a, %b, %c = model.permute %e : tensor<?xi32, #t> -> tensor<5xi32>, tensor<?xi32, #r>, tensor<?xi32, #t>
  model.return
}

// -----

// permute_c2
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%e: tensor<?x2xi32, #t>) {
  // expected-error @+1 {{'model.permute' op expected offsets of at least two entries}}
  %a, %b, %c = model.permute %e : tensor<?x2xi32, #t> -> tensor<1xi32>, tensor<?xi32, #r>, tensor<?x2xi32, #t>
  model.return
}

// -----

// permute_c3
#t = #model.rows<tokens>
model.func @f(%e: tensor<?x2xi32, #t>) {
  // expected-error @+1 {{'model.permute' op expected source [routes]}}
  %a, %b, %c = model.permute %e : tensor<?x2xi32, #t> -> tensor<5xi32>, tensor<?xi32, #t>, tensor<?x2xi32, #t>
  model.return
}

// -----

// permute_c4
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%e: tensor<?x2xi32, #t>) {
  // expected-error @+1 {{'model.permute' op expected position to have the type of experts}}
  %a, %b, %c = model.permute %e : tensor<?x2xi32, #t> -> tensor<5xi32>, tensor<?xi32, #r>, tensor<?x3xi32, #t>
  model.return
}

// -----

// gather_routes_c1
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #r>, %s: tensor<?xi32, #r>) {
  // expected-error @+1 {{'model.gather_routes' op expected x over tokens}}
  %y = model.gather_routes %x, %s : tensor<?x64xf32, #r>, tensor<?xi32, #r>
  model.return
}

// -----

// gather_routes_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %s: tensor<?xi32, #t>) {
  // expected-error @+1 {{'model.gather_routes' op expected source [routes]}}
  %y = model.gather_routes %x, %s : tensor<?x64xf32, #t>, tensor<?xi32, #t>
  model.return
}

// -----

// grouped_linear_c1
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #r>, %o: tensor<5xi32>, %w: tensor<4x8x65xf32>) {
  // expected-error @+1 {{'model.grouped_linear' op expected x [routes, K] and weight [E, N, K]}}
  %y = model.grouped_linear %x, %o, %w : tensor<?x64xf32, #r>, tensor<5xi32>, tensor<4x8x65xf32>
  model.return
}

// -----

// grouped_linear_c2
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #r>, %o: tensor<4xi32>, %w: tensor<4x8x64xf32>) {
  // expected-error @+1 {{'model.grouped_linear' op expected 5 offsets, got 'tensor<4xi32>'}}
  %y = model.grouped_linear %x, %o, %w : tensor<?x64xf32, #r>, tensor<4xi32>, tensor<4x8x64xf32>
  model.return
}

// -----

// combine_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %w: tensor<?x2xf32, #t>, %p: tensor<?x2xi32, #t>) {
  // expected-error @+1 {{'model.combine' op expected x [routes, D]}}
  %y = model.combine %x, %w, %p : tensor<?x64xf32, #t>, tensor<?x2xf32, #t>, tensor<?x2xi32, #t>
  model.return
}

// -----

// combine_c2
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #r>, %w: tensor<?x2xf32, #t>, %p: tensor<?x3xi32, #t>) {
  // expected-error @+1 {{'model.combine' op expected weights and position [tokens, k]}}
  %y = model.combine %x, %w, %p : tensor<?x64xf32, #r>, tensor<?x2xf32, #t>, tensor<?x3xi32, #t>
  model.return
}

// -----

// dispatch_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.dispatch' op expected the yielded values to have the result types, got 0 values for 1 results}}
  %y = model.dispatch -> tensor<?x64xf32, #t> {
    model.yield
  }
  model.return
}

// -----

// permute_c5
#t = #model.rows<tokens>
#r = #model.rows<routes>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<8x64xf32>) {
  %w, %e = model.route %x, %g top 2 : tensor<?x64xf32, #t>, tensor<8x64xf32> -> tensor<?x2xf32, #t>, tensor<?x2xi32, #t>
  // expected-error @+1 {{'model.permute' op expected offsets of the 8 experts that the router knows, got 4}}
  %a, %b, %c = model.permute %e : tensor<?x2xi32, #t> -> tensor<5xi32>, tensor<?xi32, #r>, tensor<?x2xi32, #t>
  model.return
}

// -----

// concat_c1
model.func @f(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{'model.concat' op expected at least two inputs, got 1}}
  %y = model.concat %a : tensor<4x8xf32>
  model.return
}

// -----

// concat_c2
model.func @f(%a: tensor<4x8xf32>, %b: tensor<4x6xf32>) {
  // expected-error @+1 {{'model.concat' op expected inputs that differ in their output channels only, got 'tensor<4x8xf32>' and 'tensor<4x6xf32>'}}
  %y = model.concat %a, %b : tensor<4x8xf32>, tensor<4x6xf32>
  model.return
}

// -----

// concat_c2
#t = #model.rows<tokens>
#o = #model.rows<outputs>
model.func @f(%a: tensor<?x8xf32, #t>, %b: tensor<?x8xf32, #o>) {
  // expected-error @+1 {{'model.concat' op expected inputs that differ in their output channels only}}
  %y = model.concat %a, %b : tensor<?x8xf32, #t>, tensor<?x8xf32, #o>
  model.return
}

// -----

model.func @f(%a: tensor<8xf32>) {
  // expected-error @+1 {{expected weights [N, K] or rows [rows, N] to concatenate}}
  %y = model.concat %a, %a : tensor<8xf32>, tensor<8xf32>
  model.return
}

// -----

// slice_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x8xf32, #t>) {
  // expected-error @+1 {{'model.slice' op expected x [rows, N] and a result [rows, n] of its row space and element type}}
  %y = model.slice %x from 0 : tensor<?x8xf32, #t> -> tensor<?x4xbf16, #t>
  model.return
}

// -----

// slice_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x8xf32, #t>) {
  // expected-error @+1 {{'model.slice' op expected 4 of 8 channels from at most 4 on, got 5}}
  %y = model.slice %x from 5 : tensor<?x8xf32, #t> -> tensor<?x4xf32, #t>
  model.return
}

// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of heads and positions, one violation each.

// split_heads_c1: types
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.split_heads' op expected results of one type}}
  %y:2 = model.split_heads %x : tensor<?x64xf32, #t> -> tensor<?x2x16xf32, #t>, tensor<?x4x8xf32, #t>
  model.return
}

// -----

// split_heads_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.split_heads' op expected x [rows, N] and parts [rows, H, D] of one row space and element type}}
  %y = model.split_heads %x : tensor<?x64xf32, #t> -> tensor<?x2x32xbf16, #t>
  model.return
}

// -----

// split_heads_c3
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.split_heads' op expected 3 parts of 'tensor<?x2x16xf32, #model.rows<tokens>>' to make up}}
  %y:3 = model.split_heads %x : tensor<?x64xf32, #t> -> tensor<?x2x16xf32, #t>, tensor<?x2x16xf32, #t>, tensor<?x2x16xf32, #t>
  model.return
}

// -----

// merge_heads_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.merge_heads' op expected x [rows, H, D]}}
  %y = model.merge_heads %x : tensor<?x64xf32, #t>
  model.return
}

// -----

// rope_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %batch: !model.batch) {
  // expected-error @+1 {{'model.rope' op expected x [tokens, H, D]}}
  %y = model.rope %x, %batch theta 1.0e4 dims 8 : tensor<?x64xf32, #t>
  model.return
}

// -----

// rope_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x4x16xf32, #t>, %batch: !model.batch) {
  // expected-error @+1 {{'model.rope' op expected an even rotary_dim between 2 and 16, got 18}}
  %y = model.rope %x, %batch theta 1.0e4 dims 18 : tensor<?x4x16xf32, #t>
  model.return
}

// -----

// rope_c3
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x4x16xf32, #t>, %batch: !model.batch) {
  // expected-error @+1 {{'model.rope' op expected a positive finite theta, got -1}}
  %y = model.rope %x, %batch theta -1.0 dims 16 : tensor<?x4x16xf32, #t>
  model.return
}

// -----

// split_heads_c1: no results
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) {
  // expected-error @+1 {{'model.split_heads' op expected at least one result}}
  "model.split_heads"(%x) : (tensor<?x64xf32, #t>) -> ()
  model.return
}

// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of the row-wise ops, one violation each.

// embedding_c1
#t = #model.rows<tokens>
model.func @f(%ids: tensor<?x2xi32, #t>, %w: tensor<8x64xf32>) {
  // expected-error @+1 {{'model.embedding' op expected ids of rank 1}}
  %y = model.embedding %ids, %w : tensor<?x2xi32, #t>, tensor<8x64xf32>
  model.return
}

// -----

// embedding_c2
#t = #model.rows<tokens>
model.func @f(%ids: tensor<?xi32, #t>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'model.embedding' op expected a table of rank 2}}
  %y = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<64xf32>
  model.return
}

// -----

// embedding: an operand of another kind
#t = #model.rows<tokens>
model.func @f(%ids: tensor<?xi64, #t>, %w: tensor<8x64xf32>) {
  // expected-error @+1 {{'model.embedding' op operand #0 must be row tensor of i32, but got 'tensor<?xi64, #model.rows<tokens>>'}}
  %y = model.embedding %ids, %w : tensor<?xi64, #t>, tensor<8x64xf32>
  model.return
}

// -----

// linear: rows without a row space
model.func @f(%x: tensor<?x64xf32>, %w: tensor<8x64xf32>) {
  // expected-error @+1 {{expected a row tensor, got 'tensor<?x64xf32>'}}
  %y = model.linear %x, %w : tensor<?x64xf32>, tensor<8x64xf32>
  model.return
}

// -----

// rms_norm_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<65xf32>) {
  // expected-error @+1 {{'model.rms_norm' op expected x [rows, D] and gain [D]}}
  %y = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x64xf32, #t>, tensor<65xf32>
  model.return
}

// -----

// rms_norm_c2
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %g: tensor<64xf32>) {
  // expected-error @+1 {{'model.rms_norm' op expected a positive finite eps, got 0}}
  %y = model.rms_norm %x, %g eps 0.0 : tensor<?x64xf32, #t>, tensor<64xf32>
  model.return
}

// -----

// linear_c1
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>, %w: tensor<8x65xf32>) {
  // expected-error @+1 {{'model.linear' op expected x [rows, K] and weight [N, K]}}
  %y = model.linear %x, %w : tensor<?x64xf32, #t>, tensor<8x65xf32>
  model.return
}

// -----

// residual_c1
#t = #model.rows<tokens>
#o = #model.rows<outputs>
model.func @f(%x: tensor<?x64xf32, #t>, %a: tensor<?x64xf32, #o>, %one: f32) {
  // expected-error @+1 {{'model.residual' op expected x and branch of one shape and row space}}
  %y = model.residual %x, %a scale %one, %one : tensor<?x64xf32, #t>, tensor<?x64xf32, #o>
  model.return
}

// -----

// select_rows_c1
#o = #model.rows<outputs>
model.func @f(%x: tensor<?x64xf32, #o>, %batch: !model.batch) {
  // expected-error @+1 {{'model.select_rows' op expected x over tokens}}
  %y = model.select_rows %x, %batch : tensor<?x64xf32, #o>
  model.return
}

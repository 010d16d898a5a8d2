// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Attributes of model.program that contradict @main or its embedding, or are no numbers, one violation each.

// program_c4: other than the logits
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected vocabulary to be the 8 columns of the logits, got 10}}
model.program @p attributes {vocabulary = 10 : i64} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c4: none
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected vocabulary to be an i64 of at least 1, got 0}}
model.program @p attributes {vocabulary = 0 : i64} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c4: negative
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected vocabulary to be an i64 of at least 1, got -1}}
model.program @p attributes {vocabulary = -1 : i64} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c4: type
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected vocabulary to be an i64 of at least 1, got 8 : i32}}
model.program @p attributes {vocabulary = 8 : i32} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c5: the ids that the logits have, not all of which the table has
#t = #model.rows<tokens>
#o = #model.rows<outputs>
model.program @p {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %table = model.weight "table" : tensor<7x64xf32>
    // expected-error @+1 {{'model.embedding' op expected a table with a row for each of the 8 ids, got 7}}
    %x = model.embedding %ids, %table : tensor<?xi32, #t>, tensor<7x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c6
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected max_position to be an i64 of at least 1, got -5}}
model.program @p attributes {max_position = -5 : i64} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c7: past the vocabulary
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected stop_tokens to be ids of the vocabulary, got 8}}
model.program @p attributes {stop_tokens = array<i32: 0, 8>} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c7: negative
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected stop_tokens to be ids of the vocabulary, got -1}}
model.program @p attributes {stop_tokens = array<i32: -1>} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

// -----

// program_c7: type
#t = #model.rows<tokens>
#o = #model.rows<outputs>
// expected-error @+1 {{expected stop_tokens to be an array of i32, got}}
model.program @p attributes {stop_tokens = [1, 2]} {
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #o> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    %rows = model.select_rows %x, %batch : tensor<?x64xf32, #t>
    %y = model.linear %rows, %w : tensor<?x64xf32, #o>, tensor<8x64xf32>
    model.return %y : tensor<?x8xf32, #o>
  }
}

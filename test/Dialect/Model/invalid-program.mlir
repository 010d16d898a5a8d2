// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of model.program and model.return, one violation each.

// program_c1
#t = #model.rows<tokens>
model.program @p {
  // expected-error @+1 {{'model.func' op expected @main to take (tensor<?xi32, #model.rows<tokens>>, !model.batch, states...)}}
  model.func @main(%ids: tensor<?xi32, #t>) {
    model.return
  }
}

// -----

// program_c1: results
#t = #model.rows<tokens>
model.program @p {
  // expected-error @+1 {{'model.func' op expected @main to return (tensor<?xVxf32, #model.rows<outputs>>, states...) with the states that it takes}}
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x64xf32, #t> {
    %w = model.weight "w" : tensor<8x64xf32>
    %x = model.embedding %ids, %w : tensor<?xi32, #t>, tensor<8x64xf32>
    model.return %x : tensor<?x64xf32, #t>
  }
}

// -----

// program_c1: arguments
#t = #model.rows<tokens>
#o = #model.rows<outputs>
model.program @p {
  // expected-error @+1 {{'model.func' op expected the arguments of @main after the batch to be states}}
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch, %x: tensor<?x64xf32, #o>) -> tensor<?x64xf32, #o> {
    model.return %x : tensor<?x64xf32, #o>
  }
}

// -----

// program_c2: two consumers
#s = #model.state
model.program @p {
  // expected-error @+1 {{to have exactly one consumer, got 2; use model.snapshot for a copy}}
  model.func @f(%s: tensor<2x4x4xf32, #s>) -> (tensor<2x4x4xf32, #s>, tensor<2x4x4xf32, #s>) {
    // expected-note @+1 {{consumed here}}
    model.return %s, %s : tensor<2x4x4xf32, #s>, tensor<2x4x4xf32, #s>
  }
}

// -----

// program_c2: none
#s = #model.state
model.program @p {
  // expected-error @+1 {{to have exactly one consumer, got 0}}
  model.func @f(%s: tensor<2x4x4xf32, #s>) {
    model.return
  }
}

// -----

// program_c3
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @f(%q: tensor<?x2x4xf32, #t>, %batch: !model.batch, %s: tensor<2x4x4xf32, #s>) -> (tensor<2x4x4xf32, #s>, tensor<2x4x4xf32, #s>) {
    // expected-note @+1 {{consumed here}}
    %y, %s1 = model.linear_attention additive, none %q, %q, %q, %batch state %s
        : (tensor<?x2x4xf32, #t>, tensor<?x2x4xf32, #t>, tensor<?x2x4xf32, #t>, !model.batch, tensor<2x4x4xf32, #s>) -> (tensor<?x2x4xf32, #t>, tensor<2x4x4xf32, #s>)
    // expected-error @+1 {{'model.snapshot' op expected to precede the consumer of the state, in the same block}}
    %c = model.snapshot %s : tensor<2x4x4xf32, #s>
    model.return %s1, %c : tensor<2x4x4xf32, #s>, tensor<2x4x4xf32, #s>
  }
}

// -----

// return_c1: count
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) -> tensor<?x64xf32, #t> {
  // expected-error @+1 {{'model.return' op expected 1 operands as results of @f, got 0}}
  model.return
}

// -----

// return_c1: type
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x64xf32, #t>) -> tensor<?x65xf32, #t> {
  // expected-error @+1 {{'model.return' op expected operand #0 to have result type}}
  model.return %x : tensor<?x64xf32, #t>
}

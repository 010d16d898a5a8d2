// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of model.stack's types, one violation each.

// stack_c3: arguments
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  // expected-note @+1 {{it has type}}
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #t> {
    model.return %x : tensor<?x8xf32, #t>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected layer function @a to take (x, batch, index, states...) with the type of x}}
    %y, %s1 = model.stack %x, %batch states(%s) [[3, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c3: states
#t = #model.rows<tokens>
model.program @p {
  // expected-note @+1 {{it has type}}
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %i: index) -> tensor<?x8xf32, #t> {
    model.return %x : tensor<?x8xf32, #t>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #t> {
    // expected-error @+1 {{'model.stack' op expected layer function @a to take states after the layer index}}
    %y = model.stack %x, %batch [[3, @a]] : (tensor<?x8xf32, #t>, !model.batch) -> tensor<?x8xf32, #t>
    model.return %y : tensor<?x8xf32, #t>
  }
}

// -----

// stack_c3: results
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  // expected-note @+1 {{it has type}}
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index) {
    model.return
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected layer function @a to return (x, states...) with the types of its arguments}}
    %y, %s1 = model.stack %x, %batch states(%s) [[3, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c4: type
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected state #0 to have type 'tensor<2x2x4x4xf32, #model.state>', got 'tensor<3x2x4x4xf32, #model.state>'}}
    %y, %s1 = model.stack %x, %batch states(%s) [[2, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c4: count
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #t> {
    model.return %x : tensor<?x8xf32, #t>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected 0 states, got 1}}
    %y, %s1 = model.stack %x, %batch states(%s) [[3, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c5
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch) {
  // expected-error @+1 {{'model.stack' op expected the first result to have the type of x}}
  %y = model.stack %x, %batch [@a] : (tensor<?x8xf32, #t>, !model.batch) -> tensor<?x9xf32, #t>
  model.return
}

// -----

// stack_c5: states
#t = #model.rows<tokens>
#s = #model.state
model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) {
  // expected-error @+1 {{'model.stack' op expected the new states to have the types of the states}}
  %y = model.stack %x, %batch states(%s) [@a] : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> tensor<?x8xf32, #t>
  model.return
}

// -----

// stack_c6
#t = #model.rows<tokens>
model.program @p {
  model.table @rates : tensor<2xf32> = dense<1.0> : tensor<2xf32>
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index) -> tensor<?x8xf32, #t> {
    // expected-note @+1 {{read here}}
    %r = model.row @rates[%layer] : f32
    model.return %x : tensor<?x8xf32, #t>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch) -> tensor<?x8xf32, #t> {
    // expected-error @+1 {{'model.stack' op expected table @rates to have a row for each of the 3 layers, got 2}}
    %y = model.stack %x, %batch [[3, @a]] : (tensor<?x8xf32, #t>, !model.batch) -> tensor<?x8xf32, #t>
    model.return %y : tensor<?x8xf32, #t>
  }
}

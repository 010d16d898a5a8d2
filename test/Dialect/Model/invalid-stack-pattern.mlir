// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of model.stack's pattern, one violation each.

// stack_c1: empty
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected a pattern that names at least one layer}}
    %y, %s1 = model.stack %x, %batch states(%s) []
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c1: malformed
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected a symbol or [count, entries...] with count >= 1 in the pattern}}
    %y, %s1 = model.stack %x, %batch states(%s) [["x", @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c1: no repeat
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected a symbol or [count, entries...] with count >= 1 in the pattern}}
    %y, %s1 = model.stack %x, %batch states(%s) [[0, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c1: too many
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected at most 65536 layers, got 70000 times 1}}
    %y, %s1 = model.stack %x, %batch states(%s) [[70000, @a]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c1: nested too many
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected at most 65536 layers, got 3000000000 times 1}}
    %y, %s1 = model.stack %x, %batch states(%s) [[3000000000, [3000000000, @a]]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c2
#t = #model.rows<tokens>
#s = #model.state
model.program @p {
  model.func @a(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #s>)
      -> (tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>) {
    model.return %x, %s : tensor<?x8xf32, #t>, tensor<2x4x4xf32, #s>
  }
  model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch, %s: tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>) {
    // expected-error @+1 {{'model.stack' op expected @b to name a model.func}}
    %y, %s1 = model.stack %x, %batch states(%s) [[3, @b]]
        : (tensor<?x8xf32, #t>, !model.batch, tensor<3x2x4x4xf32, #s>) -> (tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>)
    model.return %y, %s1 : tensor<?x8xf32, #t>, tensor<3x2x4x4xf32, #s>
  }
}

// -----

// stack_c1: too many in a row
#t = #model.rows<tokens>
model.func @f(%x: tensor<?x8xf32, #t>, %batch: !model.batch) {
  // expected-error @+1 {{'model.stack' op expected at most 65536 layers, got more}}
  %y = model.stack %x, %batch [[65536, @a], @a] : (tensor<?x8xf32, #t>, !model.batch) -> tensor<?x8xf32, #t>
  model.return
}

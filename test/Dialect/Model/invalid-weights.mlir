// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Constraints of tables, rows and weights, one violation each.

// table_c1
model.program @p {
  // expected-error @+1 {{'model.table' op expected a type of at least one dimension with float elements, got 'tensor<2xi32>'}}
  model.table @t : tensor<2xi32> = dense<1> : tensor<2xi32>
}

// -----

// table_c2
model.program @p {
  // expected-error @+1 {{'model.table' op expected a literal of type 'tensor<2xf32>', got 'tensor<3xf32>'}}
  model.table @t : tensor<2xf32> = dense<1.0> : tensor<3xf32>
}

// -----

// table_c3
model.program @p {
  // expected-error @+1 {{'model.table' op expected a type of 8 layers and 4 heads, got 'tensor<8x5xf32>'}}
  model.table @t : tensor<8x5xf32> = #model.lightning_rates<layers = 8, heads = 4, form = native>
}

// -----

// table_c4
model.program @p {
  // expected-error @+1 {{'model.table' op expected a dense literal or #model.lightning_rates, got "x"}}
  model.table @t : tensor<2xf32> = "x"
}

// -----

// weight_c1
model.func @f() {
  // expected-error @+1 {{'model.weight' op expected a name that is not empty}}
  %w = model.weight "" : tensor<4xf32>
  model.return
}

// -----

// weight_c2
model.func @f() {
  // expected-error @+1 {{'model.weight' op expected a layer index if and only if the name contains '{layer}', got name 'layers.{layer}.w' without an index}}
  %w = model.weight "layers.{layer}.w" : tensor<4xf32>
  model.return
}

// -----

// weight_c2: index without a place
model.func @f(%layer: index) {
  // expected-error @+1 {{got name 'w' with an index}}
  %w = model.weight "w"[%layer] : tensor<4xf32>
  model.return
}

// -----

// weight_c3
model.func @f() {
  // expected-error @+1 {{'model.weight' op expected a result of at least two dimensions with '{expert}' in the name}}
  %w = model.weight "{expert}.w" : tensor<4xf32>
  model.return
}

// -----

// weight_c4
model.func @f() {
  // expected-error @+1 {{'model.weight' op expected positive dimensions}}
  %w = model.weight "w" : tensor<4x0xf32>
  model.return
}

// -----

// weight_c5
model.func @f() {
  // expected-error @+1 {{'model.weight' op expected next_else beside a name with '{layer}', neither of them of experts, got name 'w' and 'v'}}
  %w = model.weight "w" next_else "v" : tensor<4xf32>
  model.return
}

// -----

// weight_c5
model.func @f(%layer: index) {
  // expected-error @+1 {{got name 'w.{layer}' and 'v.{layer}'}}
  %w = model.weight "w.{layer}"[%layer] next_else "v.{layer}" : tensor<4xf32>
  model.return
}

// -----

// row_c1
model.program @p {
  model.func @f(%layer: index) {
    // expected-error @+1 {{'model.row' op expected 'rates' to name a model.table}}
    %r = model.row @rates[%layer] : f32
    model.return
  }
}

// -----

// row_c2
model.program @p {
  // expected-note @+1 {{the table is declared here}}
  model.table @rates : tensor<2x4xf32> = dense<1.0> : tensor<2x4xf32>
  model.func @f(%layer: index) {
    // expected-error @+1 {{'model.row' op expected result type 'tensor<4xf32>', got 'f32'}}
    %r = model.row @rates[%layer] : f32
    model.return
  }
}

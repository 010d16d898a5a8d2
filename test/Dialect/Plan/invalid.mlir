// RUN: %mmc-opt %s --split-input-file --verify-diagnostics
// Each numbered constraint of the plan dialect refuses what breaks it.

// module_c1
// expected-error @+1 {{expected a program @head}}
plan.module @m {} {
  plan.program @body {
  }
}

// -----

// module_c2
plan.module @m {} {
  plan.program @body {
  }
  plan.program @head {
  }
  plan.buffer @b : tensor<16xf32>
  // expected-error @+1 {{expected one offset per buffer, got 2 for 1 buffers}}
  plan.entry tokens 1 sequences 1 context 1 outputs 1 arena 64 offsets [0, 64]
}

// -----

// weight_c1
plan.module @m {} {
  // expected-error @+1 {{expected 'layers' exactly where the name has {layer}}}
  plan.weight @w "layers.{layer}.weight" : tensor<4xf32>
}

// -----

// weight_c2
plan.module @m {} {
  // expected-error @+1 {{expected 'panels' to be [n, k, pad], got 1 numbers}}
  plan.weight @w "weight" : tensor<4x4xf32> panels [64]
}

// -----

// weight_c3
plan.module @m {} {
  // expected-error @+1 {{expected a rank of at least 2, got 1}}
  plan.weight @w "experts.{expert}.weight" : tensor<4xf32>
}

// -----

// weight_c1
plan.module @m {} {
  // expected-error @+1 {{expected {layer} in all names or in none, got a and {layer}.b}}
  plan.weight @w "a" : tensor<4x4xf32> above ["{layer}.b"] heights [2, 2]
}

// -----

// weight_c5
plan.module @m {} {
  // expected-error @+1 {{expected 'next_else' beside one name with {layer}, neither of them of experts, got a and b}}
  plan.weight @w "a" : tensor<4xf32> next_else "b"
}

// -----

// weight_c5
plan.module @m {} {
  // expected-error @+1 {{got a.{layer} and c}}
  plan.weight @w "a.{layer}" : tensor<4xf32> layers [0] above ["b.{layer}"] heights [2, 2] next_else "c"
}

// -----

// weight_c4
plan.module @m {} {
  // expected-error @+1 {{expected 'above' exactly where 'heights' is given}}
  plan.weight @w "a" : tensor<4x4xf32> above ["b"]
}

// -----

// weight_c4
plan.module @m {} {
  // expected-error @+1 {{expected a height for each of 2 tensors, got 3}}
  plan.weight @w "a" : tensor<4x4xf32> above ["b"] heights [1, 1, 2]
}

// -----

// weight_c4
plan.module @m {} {
  // expected-error @+1 {{expected positive heights, got 0}}
  plan.weight @w "a" : tensor<4x4xf32> above ["b"] heights [4, 0]
}

// -----

// weight_c4
plan.module @m {} {
  // expected-error @+1 {{expected heights that sum up to 4 rows, got 5}}
  plan.weight @w "a" : tensor<4x4xf32> above ["b"] heights [2, 3]
}

// -----

// weight_c4
plan.module @m {} {
  // expected-error @+1 {{expected tensors of one layer below each other, not of experts}}
  plan.weight @w "a" : tensor<4x4xf32> above ["{expert}.b"] heights [2, 2]
}

// -----

// buffer_c1
plan.module @m {} {
  // expected-error @+1 {{expected 'rows' to be tokens, outputs or sequences, got routes}}
  plan.buffer @b : tensor<?x4xf32> rows "routes"
}

// -----

// buffer_c2
plan.module @m {} {
  // expected-error @+1 {{expected a dynamic dimension 0 exactly where 'rows' is given}}
  plan.buffer @b : tensor<?x4xf32>
}

// -----

// A buffer without a rank has no rows and no size.
plan.module @m {} {
  // expected-error @+1 {{attribute 'type' failed to satisfy constraint: type attribute of ranked tensor of any type values}}
  plan.buffer @b : tensor<*xf32>
}

// -----

// launch_c1
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{expected bindings of #plan.bind, got 1}}
    plan.launch @cpu::@k [1] domain []
  }
}

// -----

// launch_c2
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{binding 0 names no item of the plan}}
    plan.launch @cpu::@k [#plan.bind<buffer, @absent>] domain []
  }
}

// -----

// launch_c3
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{domain names no work list of the plan}}
    plan.launch @cpu::@k [] domain [#plan.extent<work, @absent>]
  }
}

// -----

// launch_c3: an attribute of another kind
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{expected a domain of #plan.extent, got 1}}
    plan.launch @cpu::@k [] domain [1]
  }
}

// -----

// launch_c4
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{expected a grain of at least 1, got 0}}
    plan.launch @cpu::@k [] domain [] grain 0
  }
}

// -----

// launch_c5
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{expected branch 0, 1 or 2, got 3}}
    plan.launch @cpu::@k [] domain [] branch 3
  }
}

// -----

// stack_c1
plan.module @m {} {
  plan.program @body {
    // expected-error @+1 {{expected programs of the plan, got @absent}}
    plan.stack [@absent] [0]
  }
}

// -----

// stack_c2
plan.module @m {} {
  plan.program @layer {
  }
  plan.program @body {
    // expected-error @+1 {{expected pattern entries below 1, got 1}}
    plan.stack [@layer] [0, 1]
  }
}

// -----

// entry_c1
plan.module @m {} {
  // expected-error @+1 {{expected offsets to be multiples of 64, got 8}}
  plan.entry tokens 1 sequences 1 context 1 outputs 1 arena 64 offsets [8]
}

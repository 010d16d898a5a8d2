// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-tile-linear))'
// A dense product of routes has no rows to count; heads that lie apart cannot be read as one row.

#routes = #model.rows<routes>

model.program @dense_routes {
  model.func @f(%x: tensor<?x8xf32, #routes>) -> tensor<?x8xf32, #routes> {
    %w = model.weight "w" : tensor<8x8xf32>
    // expected-error @+1 {{expected rows of tokens or outputs, got routes; products of routes are grouped}}
    %y = model.linear %x, %w : tensor<?x8xf32, #routes>, tensor<8x8xf32>
    model.return %y : tensor<?x8xf32, #routes>
  }
}

// -----

#tokens = #model.rows<tokens>

model.program @merged_parts {
  model.func @f(%u: tensor<?x32xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w = model.weight "w" : tensor<8x16xf32>
    %a, %b = model.split_heads %u : tensor<?x32xf32, #tokens> -> tensor<?x2x8xf32, #tokens>, tensor<?x2x8xf32, #tokens>
    // expected-error @+1 {{expected the heads of x to lie next to each other, got one every 16 elements for 8 channels; they are parts of an interleaved split}}
    %m = model.merge_heads %a : tensor<?x2x8xf32, #tokens>
    %y = model.linear %m, %w : tensor<?x16xf32, #tokens>, tensor<8x16xf32>
    model.return %y : tensor<?x8xf32, #tokens>
  }
}

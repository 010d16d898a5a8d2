// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(model.program(mmc-verify-tile-level))' | FileCheck %s
// Reshapes and constants without users go; any other op of the model level is an error.

#tokens = #model.rows<tokens>

model.program @clean {
  // CHECK-LABEL: model.func @f
  // CHECK-NOT: arith.constant
  // CHECK-NOT: model.split_heads
  // CHECK: model.return
  model.func @f(%x: tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %one = arith.constant 1.0 : f32
    %h = model.split_heads %x : tensor<?x8xf32, #tokens> -> tensor<?x2x4xf32, #tokens>
    model.return %x : tensor<?x8xf32, #tokens>
  }
}

// -----

#tokens = #model.rows<tokens>

model.program @left_over {
  model.func @f(%x: tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    // expected-error @+1 {{'model.silu' op is not at the tile level: expected launches, weights, table rows, stacks and the return}}
    %y = model.silu %x : tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
}

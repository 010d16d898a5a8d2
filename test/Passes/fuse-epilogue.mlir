// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-epilogue))' | FileCheck %s
// Elementwise consumers join the product that they follow, and only where nothing else needs the product.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @residual
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: %[[Y:.*]] = model.linear
  // CHECK-NEXT: %[[S:.*]] = model.silu %[[Y]]
  // CHECK-NEXT: %[[R:.*]] = model.residual %x, %[[S]]
  // CHECK-NEXT: model.yield %[[R]]
  // CHECK-NOT: model.dispatch
  model.func @residual(%x: tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w = model.weight "w" : tensor<8x8xf32>
    %a = arith.constant 2.0 : f32
    %y = model.linear %x, %w : tensor<?x8xf32, #tokens>, tensor<8x8xf32>
    %s = model.silu %y : tensor<?x8xf32, #tokens>
    %r = model.residual %x, %s scale %a, %a : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    model.return %r : tensor<?x8xf32, #tokens>
  }

  // The rounding between product and consumer stays.
  // CHECK-LABEL: model.func @rounded
  // CHECK: model.linear
  // CHECK-NEXT: arith.truncf
  // CHECK-NEXT: arith.extf
  // CHECK-NEXT: model.silu
  // CHECK-NEXT: model.yield
  model.func @rounded(%x: tensor<?x8xbf16, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w = model.weight "w" : tensor<8x8xbf16>
    %y = model.linear %x, %w : tensor<?x8xbf16, #tokens>, tensor<8x8xbf16>
    %b = arith.truncf %y : tensor<?x8xf32, #tokens> to tensor<?x8xbf16, #tokens>
    %f = arith.extf %b : tensor<?x8xbf16, #tokens> to tensor<?x8xf32, #tokens>
    %s = model.silu %f : tensor<?x8xf32, #tokens>
    model.return %s : tensor<?x8xf32, #tokens>
  }

  // silu(gate) * up of the same rows becomes one dispatch, gate first.
  // CHECK-LABEL: model.func @swiglu
  // CHECK: model.dispatch -> tensor<?x16xf32, #tokens> {
  // CHECK-NEXT: %[[G:.*]] = model.linear
  // CHECK-NEXT: %[[S:.*]] = model.silu %[[G]]
  // CHECK-NEXT: %[[U:.*]] = model.linear
  // CHECK-NEXT: %[[H:.*]] = arith.mulf %[[S]], %[[U]]
  // CHECK-NEXT: model.yield %[[H]]
  // CHECK-NOT: model.dispatch
  model.func @swiglu(%x: tensor<?x8xf32, #tokens>) -> tensor<?x16xf32, #tokens> {
    %w1 = model.weight "w1" : tensor<16x8xf32>
    %w3 = model.weight "w3" : tensor<16x8xf32>
    %g = model.linear %x, %w1 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %u = model.linear %x, %w3 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %s = model.silu %g : tensor<?x16xf32, #tokens>
    %h = arith.mulf %s, %u : tensor<?x16xf32, #tokens>
    model.return %h : tensor<?x16xf32, #tokens>
  }

  // Products of different rows stay apart.
  // CHECK-LABEL: model.func @other_rows
  // CHECK-COUNT-2: model.dispatch
  // CHECK-NOT: model.dispatch
  model.func @other_rows(%x: tensor<?x8xf32, #tokens>, %z: tensor<?x8xf32, #tokens>) -> tensor<?x16xf32, #tokens> {
    %w1 = model.weight "w1" : tensor<16x8xf32>
    %w3 = model.weight "w3" : tensor<16x8xf32>
    %g = model.linear %x, %w1 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %u = model.linear %z, %w3 : tensor<?x8xf32, #tokens>, tensor<16x8xf32>
    %h = arith.mulf %g, %u : tensor<?x16xf32, #tokens>
    model.return %h : tensor<?x16xf32, #tokens>
  }

  // A product with two users keeps its own kernel.
  // CHECK-LABEL: model.func @shared
  // CHECK-COUNT-3: model.dispatch
  model.func @shared(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>) {
    %w = model.weight "w" : tensor<8x8xf32>
    %y = model.linear %x, %w : tensor<?x8xf32, #tokens>, tensor<8x8xf32>
    %s = model.silu %y : tensor<?x8xf32, #tokens>
    %t = model.sigmoid %y : tensor<?x8xf32, #tokens>
    model.return %s, %t : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
  }
}

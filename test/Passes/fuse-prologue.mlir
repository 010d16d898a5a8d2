// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-prologue))' | FileCheck %s
// Row-wise producers join the norm; a value that is used later too stays a result; a product does not join.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @residual
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: %[[R:.*]] = model.residual
  // CHECK-NEXT: %[[N:.*]] = model.rms_norm %[[R]]
  // CHECK-NEXT: model.yield %[[N]]
  // CHECK-NOT: model.dispatch
  model.func @residual(%x: tensor<?x8xf32, #tokens>, %a: tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %g = model.weight "g" : tensor<8xf32>
    %one = arith.constant 1.0 : f32
    %r = model.residual %x, %a scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    %n = model.rms_norm %r, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    model.return %n : tensor<?x8xf32, #tokens>
  }

  // CHECK-LABEL: model.func @highway
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: %[[R:.*]] = model.residual
  // CHECK-NEXT: %[[N:.*]] = model.rms_norm %[[R]]
  // CHECK-NEXT: model.yield %[[R]], %[[N]]
  model.func @highway(%x: tensor<?x8xf32, #tokens>, %a: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>) {
    %g = model.weight "g" : tensor<8xf32>
    %one = arith.constant 1.0 : f32
    %r = model.residual %x, %a scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    %n = model.rms_norm %r, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    model.return %r, %n : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
  }

  // CHECK-LABEL: model.func @embedding
  // CHECK: model.embedding
  // CHECK-NEXT: model.rms_norm
  model.func @embedding(%ids: tensor<?xi32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %t = model.weight "t" : tensor<10x8xf32>
    %g = model.weight "g" : tensor<8xf32>
    %x = model.embedding %ids, %t : tensor<?xi32, #tokens>, tensor<10x8xf32>
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    model.return %n : tensor<?x8xf32, #tokens>
  }

  // CHECK-LABEL: model.func @product
  // CHECK-COUNT-2: model.dispatch
  model.func @product(%x: tensor<?x8xf32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w = model.weight "w" : tensor<8x8xf32>
    %g = model.weight "g" : tensor<8xf32>
    %y = model.linear %x, %w : tensor<?x8xf32, #tokens>, tensor<8x8xf32>
    %n = model.rms_norm %y, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    model.return %n : tensor<?x8xf32, #tokens>
  }
}

// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-router))' | FileCheck %s
// The norm of a router's rows joins the router, and its rows stay a result.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @joined
  // CHECK: %[[D:[0-9]+]]:2 = model.dispatch -> tensor<?x8xf32, #tokens>, tensor<?x2xi32, #tokens> {
  // CHECK-NEXT: %[[N:.*]] = model.rms_norm %x
  // CHECK-NEXT: %{{.*}}, %[[E:.*]] = model.route %[[N]], %{{.*}} top 2
  // CHECK-NEXT: model.yield %[[N]], %[[E]]
  // CHECK: model.return %[[D]]#0, %[[D]]#1
  model.func @joined(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x2xi32, #tokens>) {
    %gain = model.weight "gain" : tensor<8xf32>
    %gate = model.weight "gate" : tensor<4x8xf32>
    %n = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    %w, %e = model.route %n, %gate top 2 : tensor<?x8xf32, #tokens>, tensor<4x8xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    model.return %n, %e : tensor<?x8xf32, #tokens>, tensor<?x2xi32, #tokens>
  }

  // Rows that somebody reads before the router stay apart.
  // CHECK-LABEL: model.func @early
  // CHECK-COUNT-3: model.dispatch
  model.func @early(%x: tensor<?x8xf32, #tokens>) -> (tensor<?x8xf32, #tokens>, tensor<?x2xi32, #tokens>) {
    %gain = model.weight "gain" : tensor<8xf32>
    %gate = model.weight "gate" : tensor<4x8xf32>
    %n = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xf32>
    %s = model.silu %n : tensor<?x8xf32, #tokens>
    %w, %e = model.route %n, %gate top 2 : tensor<?x8xf32, #tokens>, tensor<4x8xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    model.return %s, %e : tensor<?x8xf32, #tokens>, tensor<?x2xi32, #tokens>
  }
}

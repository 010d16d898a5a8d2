// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-decompose-experts,mmc-form-dispatches,mmc-fuse-moe-dispatch))' | FileCheck %s
// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-decompose-experts,mmc-form-dispatches,mmc-fuse-epilogue,mmc-fuse-moe-dispatch))' | FileCheck %s
// A mixture of experts becomes three dispatches after the permutation, whether or not the epilogues were fused before: gate and up with the
// gather and SwiGLU, down, and the combine with the residual.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @experts
  // CHECK: model.dispatch
  // CHECK: model.permute
  // CHECK: model.dispatch -> tensor<?x16xf32, #{{.*}}> attributes {top_k = 2 : i64} {
  // CHECK-NEXT: %[[X:.*]] = model.gather_routes %x
  // CHECK-NEXT: %[[G:.*]] = model.grouped_linear %[[X]]
  // CHECK-NEXT: %[[S:.*]] = model.silu %[[G]]
  // CHECK-NEXT: %[[U:.*]] = model.grouped_linear %[[X]]
  // CHECK-NEXT: %[[H:.*]] = arith.mulf %[[S]], %[[U]]
  // CHECK-NEXT: model.yield %[[H]]
  // CHECK: model.dispatch
  // CHECK-NEXT: model.grouped_linear
  // CHECK-NEXT: model.yield
  // CHECK: model.dispatch -> tensor<?x8xf32, #tokens> {
  // CHECK-NEXT: %[[C:.*]] = model.combine
  // CHECK-NEXT: model.residual %x, %[[C]]
  // CHECK-NEXT: model.yield
  // CHECK-NOT: model.dispatch
  model.func @experts(%x: tensor<?x8xf32, #tokens>, %w: tensor<?x2xf32, #tokens>, %e: tensor<?x2xi32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w1 = model.weight "{expert}.w1" : tensor<4x16x8xf32>
    %w3 = model.weight "{expert}.w3" : tensor<4x16x8xf32>
    %w2 = model.weight "{expert}.w2" : tensor<4x8x16xf32>
    %m = model.experts %x routed(%w, %e) through %w1, %w3, %w2 : tensor<?x8xf32, #tokens>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>,
        tensor<4x16x8xf32>, tensor<4x16x8xf32>, tensor<4x8x16xf32>
    %one = arith.constant 1.0 : f32
    %y = model.residual %x, %m scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    model.return %y : tensor<?x8xf32, #tokens>
  }
}

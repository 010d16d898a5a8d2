// RUN: %mmc-opt %s --pass-pipeline="builtin.module(model.program(mmc-decompose-experts))" | FileCheck %s
// A mixture of experts becomes the sort of its routes, three grouped products and the combine, in this order.

#tokens = #model.rows<tokens>

// CHECK: model.program @p attributes {routes_per_token = 2 : i64}
model.program @p {
  // CHECK-LABEL: model.func @f
  model.func @f(%x: tensor<?x8xf32, #tokens>, %w: tensor<?x2xf32, #tokens>, %e: tensor<?x2xi32, #tokens>) -> tensor<?x8xf32, #tokens> {
    %w1 = model.weight "{expert}.w1" : tensor<4x6x8xbf16>
    %w3 = model.weight "{expert}.w3" : tensor<4x6x8xbf16>
    %w2 = model.weight "{expert}.w2" : tensor<4x8x6xbf16>
    // CHECK: %offsets, %source, %position = model.permute %ids : tensor<?x2xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #routes>, tensor<?x2xi32, #tokens>
    // CHECK: %[[ROWS:.*]] = model.gather_routes %x, %source
    // CHECK: %[[GATE:.*]] = model.grouped_linear %[[ROWS]], %offsets, %w1
    // CHECK: %[[UP:.*]] = model.grouped_linear %[[ROWS]], %offsets, %w3
    // CHECK: %[[SILU:.*]] = model.silu %[[GATE]]
    // CHECK: %[[HIDDEN:.*]] = arith.mulf %[[SILU]], %[[UP]] : tensor<?x6xf32, #routes>
    // CHECK: %[[DOWN:.*]] = model.grouped_linear %[[HIDDEN]], %offsets, %w2
    // CHECK: %[[Y:.*]] = model.combine %[[DOWN]], %{{.*}}, %position
    // CHECK-NOT: model.experts
    // CHECK: model.return %[[Y]]
    %y = model.experts %x routed(%w, %e) through %w1, %w3, %w2 : tensor<?x8xf32, #tokens>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>,
        tensor<4x6x8xbf16>, tensor<4x6x8xbf16>, tensor<4x8x6xbf16>
    model.return %y : tensor<?x8xf32, #tokens>
  }
}

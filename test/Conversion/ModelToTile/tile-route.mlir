// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-tile-route))' | FileCheck %s
// The router: f32 logits, softmax over all experts, top k, renormalised.

#tokens = #model.rows<tokens>

model.program @p {
  // CHECK-LABEL: model.func @f
  // CHECK: %[[R:[0-9]+]]:2 = tile.launch @route_5x24_top2_bf16(%x, %w) tied [-1, -1]
  // CHECK: model.return %[[R]]#1
  model.func @f(%x: tensor<?x24xbf16, #tokens>) -> tensor<?x2xi32, #tokens> {
    %w = model.weight "w" : tensor<5x24xf32>
    %weights, %experts = model.route %x, %w top 2 : tensor<?x24xbf16, #tokens>, tensor<5x24xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    model.return %experts : tensor<?x2xi32, #tokens>
  }
  // CHECK: tile.kernel @route_5x24_top2_bf16(
  // CHECK-SAME: %gate: !tile.view<5x24xf32, #tile.panels<n = 16, k = 1, pad = 64>>
  // CHECK-SAME: domain(%row in #tile.extent<tokens>)
  // CHECK: %[[X:.*]] = arith.extf {{.*}} : tensor<1x24xbf16> to tensor<1x24xf32>
  // CHECK: %[[L:.*]] = tile.dot %[[X]], %{{.*}} transpose_b : {{.*}} -> tensor<1x5xf32>
  // CHECK: tile.reduce max %[[L]]
  // CHECK: math.exp
  // CHECK: tile.reduce add
  // CHECK: %[[P:.*]] = arith.divf
  // CHECK: %[[V:.*]], %[[C:.*]] = tile.top_k %[[P]] : tensor<1x5xf32> -> tensor<1x2xf32>, tensor<1x2xi32>
  // CHECK: tile.reduce add %[[V]]
  // CHECK: tile.store %[[C]], %experts[%row, %c0] along [0, 1]
}

// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-router,mmc-tile-route))' | FileCheck %s
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

// -----

#tokens = #model.rows<tokens>

// With the norm of its rows the kernel stores the normalised row, and multiplies the row as it was rounded.
model.program @normalised {
  // CHECK-LABEL: model.func @g
  // CHECK: %[[R:[0-9]+]]:3 = tile.launch @rms_norm_route_5x24_top2_bf16(%x, %gain, %w) tied [-1, -1, -1]
  // CHECK: model.return %[[R]]#0, %[[R]]#1, %[[R]]#2
  model.func @g(%x: tensor<?x24xf32, #tokens>) -> (tensor<?x24xbf16, #tokens>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>) {
    %gain = model.weight "gain" : tensor<24xbf16>
    %n = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x24xf32, #tokens>, tensor<24xbf16>
    %b = arith.truncf %n : tensor<?x24xf32, #tokens> to tensor<?x24xbf16, #tokens>
    %w = model.weight "w" : tensor<5x24xf32>
    %weights, %experts = model.route %b, %w top 2 : tensor<?x24xbf16, #tokens>, tensor<5x24xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    model.return %b, %weights, %experts : tensor<?x24xbf16, #tokens>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
  }
  // CHECK: tile.kernel @rms_norm_route_5x24_top2_bf16(
  // CHECK-SAME: %normalised: !tile.view<?x24xbf16> {tile.access = "write"}
  // CHECK: math.rsqrt
  // CHECK: %[[N:.*]] = arith.truncf %{{.*}} : tensor<24xf32> to tensor<24xbf16>
  // CHECK: tile.store %[[N]], %normalised[%row, %c0] along [1] : tensor<24xbf16>
  // CHECK: %[[B:.*]] = tile.reshape %[[N]] : tensor<24xbf16> -> tensor<1x24xbf16>
  // CHECK: %[[X:.*]] = arith.extf %[[B]]
  // CHECK: tile.dot %[[X]]
}

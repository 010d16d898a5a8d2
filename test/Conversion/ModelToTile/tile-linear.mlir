// RUN: %mmc-opt %s --split-input-file --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-join-products,mmc-fuse-epilogue,mmc-tile-linear{row-block=16}))' | FileCheck %s
// Products become panel kernels: blocks of rows, the whole depth at once, the epilogue before the store. Equal kernels are one.

#tokens = #model.rows<tokens>
#routes = #model.rows<routes>
#outputs = #model.rows<outputs>

model.program @p {
  // CHECK-LABEL: model.func @dense
  // CHECK: tile.launch @linear_residual_100x24_f32(%x, %w, %x_0) tied [-1]
  // CHECK: tile.launch @linear_residual_100x24_f32(%x, %v, %x_0) tied [-1]
  // CHECK: tile.launch @linear_100x24_f32(%x_1, %w)
  model.func @dense(%x: tensor<?x24xf32, #tokens>, %x_0: tensor<?x100xf32, #tokens>, %x_1: tensor<?x24xf32, #outputs>)
      -> (tensor<?x100xf32, #tokens>, tensor<?x100xf32, #tokens>, tensor<?x100xf32, #outputs>) {
    %w = model.weight "w" : tensor<100x24xf32>
    %v = model.weight "v" : tensor<100x24xf32>
    %two = arith.constant 2.0 : f32
    %a = model.linear %x, %w : tensor<?x24xf32, #tokens>, tensor<100x24xf32>
    %ar = model.residual %x_0, %a scale %two, %two : tensor<?x100xf32, #tokens>, tensor<?x100xf32, #tokens>
    %b = model.linear %x, %v : tensor<?x24xf32, #tokens>, tensor<100x24xf32>
    %br = model.residual %x_0, %b scale %two, %two : tensor<?x100xf32, #tokens>, tensor<?x100xf32, #tokens>
    %c = model.linear %x_1, %w : tensor<?x24xf32, #outputs>, tensor<100x24xf32>
    model.return %ar, %br, %c : tensor<?x100xf32, #tokens>, tensor<?x100xf32, #tokens>, tensor<?x100xf32, #outputs>
  }

  // CHECK-LABEL: model.func @grouped
  // CHECK: tile.launch @experts_48x24_bf16(%{{.*}}, %x, %{{.*}}) tied [-1]
  model.func @grouped(%x: tensor<?x24xbf16, #routes>, %offsets: tensor<5xi32>) -> tensor<?x48xbf16, #routes> {
    %w = model.weight "{expert}" : tensor<4x48x24xbf16>
    %y = model.grouped_linear %x, %offsets, %w : tensor<?x24xbf16, #routes>, tensor<5xi32>, tensor<4x48x24xbf16>
    %b = arith.truncf %y : tensor<?x48xf32, #routes> to tensor<?x48xbf16, #routes>
    model.return %b : tensor<?x48xbf16, #routes>
  }

  // CHECK: tile.kernel @linear_residual_100x24_f32(
  // CHECK-SAME: %weight: !tile.view<100x24xf32, #tile.panels<n = 16, k = 1, pad = 64>> {tile.access = "read"}
  // CHECK-SAME: %token_count: index {tile.step = #tile.step<token_count>}) domain(%panel in #tile.extent<fixed, 2>)
  // CHECK: scf.for %[[R:.*]] = %c0 to %token_count step %c16 {
  // CHECK: %[[M:.*]] = arith.minsi
  // CHECK: %[[X:.*]] = tile.load %x[%[[R]], %c0] along [0, 1] limit(%[[M]]) : {{.*}} -> tensor<16x24xf32>
  // CHECK: %[[W:.*]] = tile.load %weight[%[[N:.*]], %c0] along [0, 1] : {{.*}} -> tensor<64x24xf32>
  // CHECK: tile.dot %[[X]], %[[W]] transpose_b : {{.*}} -> tensor<16x64xf32>
  // CHECK: tile.load %input[%[[R]], %[[N]]] along [0, 1] limit(%[[M]])
  // CHECK: tile.store %{{.*}}, %y[%[[R]], %[[N]]] along [0, 1] limit(%[[M]])
  // CHECK-NOT: tile.kernel @linear_residual

  // CHECK: tile.kernel @linear_100x24_f32(
  // CHECK-SAME: tile.step = #tile.step<output_count>

  // CHECK: tile.kernel @experts_48x24_bf16(
  // CHECK-SAME: %weight: !tile.view<4x48x24xbf16, #tile.panels<n = 16, k = 2, pad = 64>>
  // CHECK-SAME: domain(%expert in #tile.extent<fixed, 4>, %panel in #tile.extent<fixed, 1>)
  // CHECK: tile.load %offsets[%expert] along []
  // CHECK: scf.for
  // CHECK: tile.dot {{.*}} : tensor<16x24xbf16>, tensor<64x24xbf16> -> tensor<16x64xf32>
  // CHECK: arith.truncf
}

// -----

#tokens = #model.rows<tokens>

// Products side by side are one product; a panel takes the activation of the part that it is of.
model.program @joined {
  // CHECK-LABEL: model.func @activated
  // CHECK: tile.launch @linear_silu_sigmoid_192x24_f32(
  model.func @activated(%x: tensor<?x24xf32, #tokens>) -> (tensor<?x128xf32, #tokens>, tensor<?x64xf32, #tokens>) {
    %w = model.weight "w" : tensor<128x24xf32>
    %v = model.weight "v" : tensor<64x24xf32>
    %a = model.linear %x, %w : tensor<?x24xf32, #tokens>, tensor<128x24xf32>
    %u = model.silu %a : tensor<?x128xf32, #tokens>
    %b = model.linear %x, %v : tensor<?x24xf32, #tokens>, tensor<64x24xf32>
    %g = model.sigmoid %b : tensor<?x64xf32, #tokens>
    model.return %u, %g : tensor<?x128xf32, #tokens>, tensor<?x64xf32, #tokens>
  }
  // CHECK: tile.kernel @linear_silu_sigmoid_192x24_f32(
  // CHECK-SAME: domain(%panel in #tile.extent<fixed, 3>)
  // CHECK: %[[N:.*]] = arith.muli %panel, %c64
  // CHECK: %[[P:.*]] = tile.dot
  // CHECK: %[[U:.*]] = arith.mulf %[[P]], %{{.*}}
  // CHECK: %[[G:.*]] = arith.divf
  // CHECK: %[[FIRST:.*]] = arith.cmpi slt, %[[N]], %c128
  // CHECK: %[[Y:.*]] = arith.select %[[FIRST]], %[[U]], %[[G]] : tensor<16x64xf32>
  // CHECK: tile.store %[[Y]], %y
}

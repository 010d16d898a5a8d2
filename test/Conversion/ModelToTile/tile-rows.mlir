// RUN: %mmc-opt %s --pass-pipeline='builtin.module(model.program(mmc-form-dispatches,mmc-fuse-prologue,mmc-tile-rows))' | FileCheck %s
// Row kernels: one work point per row of the results' row space, per head where there are heads.

#tokens = #model.rows<tokens>
#routes = #model.rows<routes>
#outputs = #model.rows<outputs>

model.program @p {
  // CHECK-LABEL: model.func @norm
  // CHECK: tile.launch @residual_rms_norm_24_f32(%{{.*}}, %{{.*}}, %g) tied [-1]
  model.func @norm(%x: tensor<?x24xf32, #tokens>, %b: tensor<?x24xbf16, #tokens>) -> tensor<?x24xf32, #tokens> {
    %g = model.weight "g" : tensor<24xbf16>
    %two = arith.constant 2.0 : f32
    %y = model.residual %x, %b scale %two, %two : tensor<?x24xf32, #tokens>, tensor<?x24xbf16, #tokens>
    %n = model.rms_norm %y, %g eps 1.0e-5 : tensor<?x24xf32, #tokens>, tensor<24xbf16>
    model.return %n : tensor<?x24xf32, #tokens>
  }

  // CHECK-LABEL: model.func @moe
  // CHECK: tile.launch @gather_routes_24_f32
  // CHECK: tile.launch @combine_24_f32
  model.func @moe(%x: tensor<?x24xf32, #tokens>, %e: tensor<?x2xi32, #tokens>, %w: tensor<?x2xf32, #tokens>) -> tensor<?x24xf32, #tokens> {
    %offsets, %source, %position = model.permute %e : tensor<?x2xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #routes>, tensor<?x2xi32, #tokens>
    %r = model.gather_routes %x, %source : tensor<?x24xf32, #tokens>, tensor<?xi32, #routes>
    %y = model.combine %r, %w, %position : tensor<?x24xf32, #routes>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    model.return %y : tensor<?x24xf32, #tokens>
  }

  // A rope that stands alone; two of them share the step's table. Heads of an elementwise op are a work dimension.
  // CHECK-LABEL: model.func @heads
  // CHECK-COUNT-1: tile.launch @rope_table_8_theta10000()
  // CHECK: tile.launch @rope8_2x16_f32
  // CHECK: tile.launch @rope8_2x16_f32
  // CHECK: tile.launch @silu_2x16_f32
  model.func @heads(%x: tensor<?x32xf32, #tokens>, %batch: !model.batch) -> (tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>) {
    %h = model.split_heads %x : tensor<?x32xf32, #tokens> -> tensor<?x2x16xf32, #tokens>
    %a = model.rope %h, %batch theta 1.0e4 dims 8 : tensor<?x2x16xf32, #tokens>
    %b = model.rope %a, %batch theta 1.0e4 dims 8 : tensor<?x2x16xf32, #tokens>
    %s = model.silu %b : tensor<?x2x16xf32, #tokens>
    model.return %a, %s : tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>
  }

  // CHECK-LABEL: model.func @ends
  // CHECK: tile.launch @embedding_24_f32
  // CHECK: tile.launch @select_rows_24_f32
  model.func @ends(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x24xf32, #outputs> {
    %t = model.weight "t" : tensor<10x24xf32>
    %x = model.embedding %ids, %t : tensor<?xi32, #tokens>, tensor<10x24xf32>
    %o = model.select_rows %x, %batch : tensor<?x24xf32, #tokens>
    model.return %o : tensor<?x24xf32, #outputs>
  }

  // CHECK: tile.kernel @residual_rms_norm_24_f32({{.*}}domain(%row in #tile.extent<tokens>) grain 42
  // CHECK: arith.extf
  // CHECK: %[[Y:.*]] = arith.addf
  // CHECK: %[[Q:.*]] = arith.mulf %[[Y]], %[[Y]] : tensor<24xf32>
  // CHECK: tile.reduce add %[[Q]] along 0 : tensor<24xf32> -> f32
  // CHECK: arith.divf
  // CHECK: math.rsqrt
  // CHECK: tile.kernel @gather_routes_24_f32({{.*}}domain(%token in #tile.extent<tokens>, %choice in #tile.extent<fixed, 2>)
  // CHECK: tile.kernel @combine_24_f32(
  // CHECK-COUNT-2: tile.load %position[%row, %c{{[01]}}] along []
  // CHECK: tile.kernel @silu_2x16_f32({{.*}}domain(%row in #tile.extent<tokens>, %head in #tile.extent<fixed, 2>)
  // CHECK: tile.kernel @select_rows_24_f32({{.*}}domain(%row in #tile.extent<outputs>)
  // CHECK: tile.load %output_rows[%row] along []
}

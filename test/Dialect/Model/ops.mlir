// RUN: %mmc-opt %s | %mmc-opt | FileCheck %s
// RUN: %mmc-opt %s --mlir-print-op-generic | %mmc-opt | FileCheck %s
// Every structural and mathematical op prints in its short form and parses again, from the short and from the generic form.

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

// CHECK-LABEL: model.program @lightning_only attributes {max_position = 128 : i64, vocabulary = 320 : i64}
model.program @lightning_only attributes {vocabulary = 320 : i64, max_position = 128 : i64} {
  // CHECK: model.table @rates : tensor<3x4xf32> = #model.lightning_rates<layers = 3, heads = 4, form = original>
  model.table @rates : tensor<3x4xf32> = #model.lightning_rates<layers = 3, heads = 4, form = original>
  // CHECK: model.table @alpha : tensor<3xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
  model.table @alpha : tensor<3xf32> = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>

  // CHECK: model.func @lightning(%[[X:[^ ,:]+]]: tensor<?x64xf32, #tokens>, %[[BATCH:[^ ,:]+]]: !model.batch, %[[LAYER:[^ ,:]+]]: index, %[[STATE:[^ ,:]+]]: tensor<4x16x16xf32, #model.state>)
  model.func @lightning(%x: tensor<?x64xf32, #tokens>, %batch: !model.batch, %layer: index, %state: tensor<4x16x16xf32, #model.state>)
      -> (tensor<?x64xf32, #tokens>, tensor<4x16x16xf32, #model.state>) {
    // CHECK: %[[W:[^ ,:]+]] = model.weight "layers.{layer}.norm.weight"[%[[LAYER]]] : tensor<64xbf16>
    %g = model.weight "layers.{layer}.norm.weight"[%layer] : tensor<64xbf16>
    // CHECK: model.rms_norm %[[X]], %[[W]] eps 1.000000e-05 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %w = model.weight "layers.{layer}.qkv.weight"[%layer] : tensor<192x64xbf16>
    // CHECK: %[[QKV:[^ ,:]+]] = model.linear %{{.*}}, %{{.*}} : tensor<?x64xf32, #tokens>, tensor<192x64xbf16>
    %qkv = model.linear %n, %w : tensor<?x64xf32, #tokens>, tensor<192x64xbf16>
    // CHECK: model.silu %[[QKV]] : tensor<?x192xf32, #tokens>
    %u = model.silu %qkv : tensor<?x192xf32, #tokens>
    // CHECK: %[[PARTS:[^ ,:]+]]:3 = model.split_heads %{{.*}} : tensor<?x192xf32, #tokens> -> tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>
    %q, %k, %v = model.split_heads %u : tensor<?x192xf32, #tokens> -> tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>
    // CHECK: %[[RATES:[^ ,:]+]] = model.row @rates[%[[LAYER]]] : tensor<4xf32>
    %r = model.row @rates[%layer] : tensor<4xf32>
    // CHECK: %{{.*}}, %{{.*}} = model.linear_attention additive, head %[[PARTS]]#0, %[[PARTS]]#1, %[[PARTS]]#2, %[[BATCH]] rate %[[RATES]] state %[[STATE]] :
    %y, %s1 = model.linear_attention additive, head %q, %k, %v, %batch rate %r state %state
        : (tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, !model.batch, tensor<4xf32>, tensor<4x16x16xf32, #model.state>)
        -> (tensor<?x4x16xf32, #tokens>, tensor<4x16x16xf32, #model.state>)
    // CHECK: model.merge_heads %{{.*}} : tensor<?x4x16xf32, #tokens>
    %m = model.merge_heads %y : tensor<?x4x16xf32, #tokens>
    // CHECK: model.sigmoid
    %s = model.sigmoid %m : tensor<?x64xf32, #tokens>
    // CHECK: %[[ALPHA:[^ ,:]+]] = model.row @alpha[%[[LAYER]]] : f32
    %alpha = model.row @alpha[%layer] : f32
    // CHECK: model.residual %{{.*}}, %{{.*}} scale %[[ALPHA]], %[[ALPHA]] : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>
    %z = model.residual %n, %s scale %alpha, %alpha : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>
    model.return %z, %s1 : tensor<?x64xf32, #tokens>, tensor<4x16x16xf32, #model.state>
  }

  // CHECK: model.func @main(%[[IDS:[^ ,:]+]]: tensor<?xi32, #tokens>, %[[BATCH:[^ ,:]+]]: !model.batch, %[[STATE:[^ ,:]+]]: tensor<3x4x16x16xf32, #model.state>)
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch, %states: tensor<3x4x16x16xf32, #model.state>)
      -> (tensor<?x320xf32, #outputs>, tensor<3x4x16x16xf32, #model.state>) {
    %e = model.weight "embed.weight" : tensor<320x64xbf16>
    // CHECK: model.embedding %[[IDS]], %{{.*}} : tensor<?xi32, #tokens>, tensor<320x64xbf16>
    %x = model.embedding %ids, %e : tensor<?xi32, #tokens>, tensor<320x64xbf16>
    // CHECK: model.stack %{{.*}}, %[[BATCH]] states(%[[STATE]]) {{\[\[}}3, @lightning]] : (tensor<?x64xf32, #tokens>, !model.batch, tensor<3x4x16x16xf32, #model.state>)
    %y, %s1 = model.stack %x, %batch states(%states) [[3, @lightning]]
        : (tensor<?x64xf32, #tokens>, !model.batch, tensor<3x4x16x16xf32, #model.state>) -> (tensor<?x64xf32, #tokens>, tensor<3x4x16x16xf32, #model.state>)
    // CHECK: model.select_rows %{{.*}}, %[[BATCH]] : tensor<?x64xf32, #tokens>
    %o = model.select_rows %y, %batch : tensor<?x64xf32, #tokens>
    %l = model.linear %o, %e : tensor<?x64xf32, #outputs>, tensor<320x64xbf16>
    model.return %l, %s1 : tensor<?x320xf32, #outputs>, tensor<3x4x16x16xf32, #model.state>
  }
}

// CHECK-LABEL: model.func @softmax
model.program @more {
model.func @softmax(%q: tensor<?x4x32xf32, #tokens>, %k: tensor<?x2x32xf32, #tokens>, %batch: !model.batch,
                    %k0: tensor<?x2x32xf32, #model.kv>, %v0: tensor<?x2x32xf32, #model.kv>)
    -> (tensor<?x4x32xf32, #tokens>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>) {
  // CHECK: model.rope %{{.*}}, %{{.*}} theta 1.000000e+07 dims 16 : tensor<?x4x32xf32, #tokens>
  %r = model.rope %q, %batch theta 1.0e7 dims 16 : tensor<?x4x32xf32, #tokens>
  // CHECK: model.snapshot %{{.*}} : tensor<?x2x32xf32, #model.kv>
  %copy = model.snapshot %k0 : tensor<?x2x32xf32, #model.kv>
  // CHECK: model.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} cache(%{{.*}}, %{{.*}}) scale 1.250000e-01 {window = 7 : i64} : {{.*}} -> tensor<?x4x32xf32, #tokens>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
  %y, %k1, %v1 = model.attention %r, %k, %k, %batch cache(%k0, %v0) scale 0.125 {window = 7 : i64}
      : tensor<?x4x32xf32, #tokens>, tensor<?x2x32xf32, #tokens>, tensor<?x2x32xf32, #tokens>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
     -> tensor<?x4x32xf32, #tokens>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
  model.return %y, %k1, %v1, %copy : tensor<?x4x32xf32, #tokens>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
}

// CHECK-LABEL: model.func @recurrences
model.func @recurrences(%q: tensor<?x2x8xf32, #tokens>, %v: tensor<?x2x4xf32, #tokens>, %batch: !model.batch, %beta: tensor<?x2xf32, #tokens>,
                        %s: tensor<2x8x4xf32, #model.state>) -> (tensor<?x2x4xf32, #tokens>, tensor<2x8x4xf32, #model.state>) {
  // CHECK: model.linear_attention additive, none %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} state %{{.*}} : (
  %y0, %s0 = model.linear_attention additive, none %q, %q, %v, %batch state %s
      : (tensor<?x2x8xf32, #tokens>, tensor<?x2x8xf32, #tokens>, tensor<?x2x4xf32, #tokens>, !model.batch, tensor<2x8x4xf32, #model.state>)
     -> (tensor<?x2x4xf32, #tokens>, tensor<2x8x4xf32, #model.state>)
  // CHECK: model.linear_attention delta, channel %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} rate %{{.*}} beta %{{.*}} state %{{.*}} {scale = 5.000000e-01 : f64} : (
  %y1, %s1 = model.linear_attention delta, channel %q, %q, %v, %batch rate %q beta %beta state %s0 {scale = 0.5}
      : (tensor<?x2x8xf32, #tokens>, tensor<?x2x8xf32, #tokens>, tensor<?x2x4xf32, #tokens>, !model.batch, tensor<?x2x8xf32, #tokens>,
         tensor<?x2xf32, #tokens>, tensor<2x8x4xf32, #model.state>) -> (tensor<?x2x4xf32, #tokens>, tensor<2x8x4xf32, #model.state>)
  model.return %y1, %s1 : tensor<?x2x4xf32, #tokens>, tensor<2x8x4xf32, #model.state>
}
}

// CHECK-LABEL: model.func @moe
model.func @moe(%x: tensor<?x64xf32, #tokens>, %layer: index) -> (tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>) {
  %gate = model.weight "{layer}.gate.weight"[%layer] : tensor<4x64xf32>
  // CHECK: %[[W1:[^ ,:]+]] = model.weight "{layer}.experts.{expert}.w1.weight"[%{{.*}}] : tensor<4x96x64xbf16>
  %w1 = model.weight "{layer}.experts.{expert}.w1.weight"[%layer] : tensor<4x96x64xbf16>
  %w2 = model.weight "{layer}.experts.{expert}.w2.weight"[%layer] : tensor<4x64x96xbf16>
  // CHECK: %[[WEIGHTS:[^ ,:]+]], %[[EXPERTS:[^ ,:]+]] = model.route %{{.*}}, %{{.*}} top 2 : tensor<?x64xf32, #tokens>, tensor<4x64xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
  %w, %e = model.route %x, %gate top 2 : tensor<?x64xf32, #tokens>, tensor<4x64xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
  // CHECK: model.experts %{{.*}} routed(%[[WEIGHTS]], %[[EXPERTS]]) through %[[W1]], %[[W1]], %{{.*}} :
  %y = model.experts %x routed(%w, %e) through %w1, %w1, %w2
      : tensor<?x64xf32, #tokens>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>, tensor<4x96x64xbf16>, tensor<4x96x64xbf16>, tensor<4x64x96xbf16>
  // CHECK: %[[OFFSETS:[^ ,:]+]], %[[SOURCE:[^ ,:]+]], %[[POSITION:[^ ,:]+]] = model.permute %[[EXPERTS]] : tensor<?x2xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #routes>, tensor<?x2xi32, #tokens>
  %offsets, %source, %position = model.permute %e : tensor<?x2xi32, #tokens> -> tensor<5xi32>, tensor<?xi32, #model.rows<routes>>, tensor<?x2xi32, #tokens>
  // CHECK: %[[GATHERED:[^ ,:]+]] = model.gather_routes %{{.*}}, %[[SOURCE]] : tensor<?x64xf32, #tokens>, tensor<?xi32, #routes>
  %g = model.gather_routes %x, %source : tensor<?x64xf32, #tokens>, tensor<?xi32, #model.rows<routes>>
  // CHECK: %[[DISPATCH:[^ ,:]+]] = model.dispatch -> tensor<?x96xf32, #routes> {
  %u = model.dispatch -> tensor<?x96xf32, #model.rows<routes>> {
    // CHECK: model.grouped_linear %[[GATHERED]], %[[OFFSETS]], %[[W1]] : tensor<?x64xf32, #routes>, tensor<5xi32>, tensor<4x96x64xbf16>
    %h = model.grouped_linear %g, %offsets, %w1 : tensor<?x64xf32, #model.rows<routes>>, tensor<5xi32>, tensor<4x96x64xbf16>
    // CHECK: model.yield %{{.*}} : tensor<?x96xf32, #routes>
    model.yield %h : tensor<?x96xf32, #model.rows<routes>>
  }
  %d = model.grouped_linear %u, %offsets, %w2 : tensor<?x96xf32, #model.rows<routes>>, tensor<5xi32>, tensor<4x64x96xbf16>
  // CHECK: model.combine %{{.*}}, %[[WEIGHTS]], %[[POSITION]] : tensor<?x64xf32, #routes>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
  %z = model.combine %d, %w, %position : tensor<?x64xf32, #model.rows<routes>>, tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
  model.return %y, %z : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>
}

// CHECK-LABEL: model.func @joined
model.func @joined(%x: tensor<?x8xf32, #tokens>, %layer: index) -> tensor<?x24xf32, #tokens> {
  %a = model.weight "{layer}.a.weight"[%layer] : tensor<16x8xbf16>
  %b = model.weight "{layer}.b.weight"[%layer] : tensor<24x8xbf16>
  // CHECK: %[[W:[^ ,:]+]] = model.concat %{{.*}}, %{{.*}} : tensor<16x8xbf16>, tensor<24x8xbf16>
  %w = model.concat %a, %b : tensor<16x8xbf16>, tensor<24x8xbf16>
  // CHECK: %[[Y:[^ ,:]+]] = model.linear %{{.*}}, %[[W]] : tensor<?x8xf32, #tokens>, tensor<40x8xbf16>
  %y = model.linear %x, %w : tensor<?x8xf32, #tokens>, tensor<40x8xbf16>
  // CHECK: %[[S:[^ ,:]+]] = model.slice %[[Y]] from 16 : tensor<?x40xf32, #tokens> -> tensor<?x24xf32, #tokens>
  %s = model.slice %y from 16 : tensor<?x40xf32, #tokens> -> tensor<?x24xf32, #tokens>
  // CHECK: model.concat %[[Y]], %[[S]] : tensor<?x40xf32, #tokens>, tensor<?x24xf32, #tokens>
  %c = model.concat %y, %s : tensor<?x40xf32, #tokens>, tensor<?x24xf32, #tokens>
  model.return %s : tensor<?x24xf32, #tokens>
}

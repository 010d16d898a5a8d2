// RUN: %mmc-opt %s --pass-pipeline="builtin.module(model.program(mmc-assign-precision{dtype=bfloat16}))" | FileCheck %s
// RUN: %mmc-opt %s --pass-pipeline="builtin.module(model.program(mmc-assign-precision{dtype=float32}))" | FileCheck %s --check-prefix=F32
// Every value that a structured op reads is rounded once, elementwise ops read it through an extension; the router's gate, states, scores and
// logits stay f32; caches become bf16. In float32 only the weights' types change.

#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

model.program @p {
  // CHECK-LABEL: model.func @layer(%x: tensor<?x8xbf16, #tokens>
  // CHECK-SAME: %state: tensor<2x4x4xf32, #model.state>, %keys: tensor<?x2x4xbf16, #model.kv>, %values: tensor<?x2x4xbf16, #model.kv>)
  // F32-LABEL: model.func @layer(%x: tensor<?x8xf32, #tokens>
  // F32-NOT: bf16
  // F32-NOT: arith.truncf
  model.func @layer(%x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %layer: index, %s: tensor<2x4x4xf32, #model.state>,
                    %k0: tensor<?x2x4xf32, #model.kv>, %v0: tensor<?x2x4xf32, #model.kv>)
      -> (tensor<?x8xf32, #tokens>, tensor<2x4x4xf32, #model.state>, tensor<?x2x4xf32, #model.kv>, tensor<?x2x4xf32, #model.kv>) {
    // The input is wide where the residual reads it, narrow where the norm does.
    // CHECK: %[[WIDE:[0-9]+]] = arith.extf %x : tensor<?x8xbf16, #tokens> to tensor<?x8xf32, #tokens>
    // CHECK: %[[N:[0-9]+]] = model.rms_norm %x, %gain eps
    %g = model.weight "gain" : tensor<8xbf16>
    %n = model.rms_norm %x, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xbf16>
    // CHECK: %[[NB:[0-9]+]] = arith.truncf %[[N]] : tensor<?x8xf32, #tokens> to tensor<?x8xbf16, #tokens>
    // CHECK: %[[Q:[0-9]+]] = model.linear %[[NB]], %q : tensor<?x8xbf16, #tokens>, tensor<8x8xbf16>
    %w = model.weight "q" : tensor<8x8xf32>
    %l = model.linear %n, %w : tensor<?x8xf32, #tokens>, tensor<8x8xf32>
    // A value between a product and an elementwise op is not rounded; before a reshape for a structured op it is.
    // CHECK: %[[SILU:[0-9]+]] = model.silu %[[Q]] : tensor<?x8xf32, #tokens>
    // CHECK: %[[SB:[0-9]+]] = arith.truncf %[[SILU]]
    // CHECK: %[[HEADS:[0-9]+]] = model.split_heads %[[SB]] : tensor<?x8xbf16, #tokens> -> tensor<?x2x4xbf16, #tokens>
    %u = model.silu %l : tensor<?x8xf32, #tokens>
    %h = model.split_heads %u : tensor<?x8xf32, #tokens> -> tensor<?x2x4xf32, #tokens>
    // CHECK: model.linear_attention additive, none %[[HEADS]], %[[HEADS]], %[[HEADS]], %batch state %state
    %y, %s1 = model.linear_attention additive, none %h, %h, %h, %batch state %s
        : (tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #tokens>, !model.batch, tensor<2x4x4xf32, #model.state>)
       -> (tensor<?x2x4xf32, #tokens>, tensor<2x4x4xf32, #model.state>)
    // CHECK: %[[YB:[0-9]+]] = arith.truncf %result
    // CHECK: model.attention %[[HEADS]], %[[HEADS]], %[[YB]], %batch cache(%keys, %values)
    %z, %k1, %v1 = model.attention %h, %h, %y, %batch cache(%k0, %v0) scale 0.5 : tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #tokens>,
        tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #model.kv>, tensor<?x2x4xf32, #model.kv>
       -> tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #model.kv>, tensor<?x2x4xf32, #model.kv>
    // CHECK: %[[M:[0-9]+]] = model.merge_heads %{{.*}} : tensor<?x2x4xf32, #tokens>
    %m = model.merge_heads %z : tensor<?x2x4xf32, #tokens>
    // CHECK: %[[R:[0-9]+]] = model.residual %[[WIDE]], %[[M]] scale
    // CHECK: %[[RB:[0-9]+]] = arith.truncf %[[R]]
    %one = arith.constant 1.0 : f32
    %r = model.residual %x, %m scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    // CHECK: model.weight "gate" : tensor<4x8xf32>
    // CHECK: model.route %[[RB]], %gate top 2 : tensor<?x8xbf16, #tokens>, tensor<4x8xf32> -> tensor<?x2xf32, #tokens>
    %gate = model.weight "gate" : tensor<4x8xbf16>
    %rw, %re = model.route %r, %gate top 2 : tensor<?x8xf32, #tokens>, tensor<4x8xbf16> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    // CHECK: model.return %[[RB]], %new_state, %new_k_cache, %new_v_cache
    model.return %r, %s1, %k1, %v1 : tensor<?x8xf32, #tokens>, tensor<2x4x4xf32, #model.state>, tensor<?x2x4xf32, #model.kv>, tensor<?x2x4xf32, #model.kv>
  }

  // Decay rates and write gates that depend on the token are not rounded.
  // CHECK-LABEL: model.func @gated
  // CHECK-SAME: (%x: tensor<?x2x4xbf16, #tokens>
  model.func @gated(%q: tensor<?x2x4xf32, #tokens>, %x: tensor<?x8xf32, #tokens>, %batch: !model.batch, %s: tensor<2x4x4xf32, #model.state>)
      -> tensor<2x4x4xf32, #model.state> {
    %w = model.weight "rate" : tensor<2x8xf32>
    // CHECK: %[[RATE:[0-9]+]] = model.linear
    %r = model.linear %x, %w : tensor<?x8xf32, #tokens>, tensor<2x8xf32>
    // CHECK: %[[BETA:[0-9]+]] = model.sigmoid %[[RATE]] : tensor<?x2xf32, #tokens>
    %b = model.sigmoid %r : tensor<?x2xf32, #tokens>
    // CHECK-NEXT: model.linear_attention delta, token %x, %x, %x, %batch rate %[[RATE]] beta %[[BETA]] state %state
    %y, %s1 = model.linear_attention delta, token %q, %q, %q, %batch rate %r beta %b state %s
        : (tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #tokens>, tensor<?x2x4xf32, #tokens>, !model.batch, tensor<?x2xf32, #tokens>,
           tensor<?x2xf32, #tokens>, tensor<2x4x4xf32, #model.state>) -> (tensor<?x2x4xf32, #tokens>, tensor<2x4x4xf32, #model.state>)
    model.return %s1 : tensor<2x4x4xf32, #model.state>
  }

  // A norm reads a residual sum unrounded.
  // CHECK-LABEL: model.func @sum
  model.func @sum(%x: tensor<?x8xf32, #tokens>, %a: tensor<?x8xf32, #tokens>, %one: f32) -> tensor<?x8xf32, #tokens> {
    // CHECK: %[[SUM:[0-9]+]] = model.residual
    %r = model.residual %x, %a scale %one, %one : tensor<?x8xf32, #tokens>, tensor<?x8xf32, #tokens>
    // CHECK: model.rms_norm %[[SUM]], %gain eps {{.*}} : tensor<?x8xf32, #tokens>
    %g = model.weight "gain" : tensor<8xbf16>
    %n = model.rms_norm %r, %g eps 1.0e-5 : tensor<?x8xf32, #tokens>, tensor<8xbf16>
    model.return %n : tensor<?x8xf32, #tokens>
  }

  // CHECK-LABEL: model.func @main
  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch) -> tensor<?x16xf32, #outputs> {
    %e = model.weight "e" : tensor<16x8xbf16>
    %x = model.embedding %ids, %e : tensor<?xi32, #tokens>, tensor<16x8xbf16>
    // Gathered rows keep their type; logits are not rounded.
    // CHECK: %[[ROWS:[0-9]+]] = model.select_rows %{{.*}}, %batch : tensor<?x8xbf16, #tokens>
    %o = model.select_rows %x, %batch : tensor<?x8xf32, #tokens>
    // CHECK: %[[LOGITS:[0-9]+]] = model.linear %[[ROWS]], %{{.*}} : tensor<?x8xbf16, #outputs>, tensor<16x8xbf16>
    // CHECK-NEXT: model.return %[[LOGITS]] : tensor<?x16xf32, #outputs>
    %l = model.linear %o, %e : tensor<?x8xf32, #outputs>, tensor<16x8xbf16>
    model.return %l : tensor<?x16xf32, #outputs>
  }
}

// A small language model in the manner of TransNormer: every layer is lightning attention with an output gate, then a dense gated MLP, each
// behind a norm and a plain residual. Nothing here belongs to MiniMax: separate projections, no experts, no softmax layer.
//
//   mmc run examples/models/transnormer.mlir --weights random:1 --input-ids 5,17,3 --max-tokens 8

!rows = tensor<?x128xf32, #model.rows<tokens>>
!wide = tensor<?x320xf32, #model.rows<tokens>>
!heads = tensor<?x4x32xf32, #model.rows<tokens>>
!state = tensor<4x32x32xf32, #model.state>
!states = tensor<6x4x32x32xf32, #model.state>

model.program @transnormer attributes {vocabulary = 512 : i64, max_position = 1048576 : i64} {
  model.table @rates : tensor<6x4xf32> = #model.lightning_rates<layers = 6, heads = 4, form = original>

  model.func @layer(%x: !rows, %batch: !model.batch, %layer: index, %s0: !state) -> (!rows, !state) {
    %one = arith.constant 1.0 : f32

    // Attention: silu on queries and keys, the recurrence, a norm over all heads, an output gate.
    %g0 = model.weight "layers.{layer}.attention_norm.weight"[%layer] : tensor<128xbf16>
    %n0 = model.rms_norm %x, %g0 eps 1.0e-6 : !rows, tensor<128xbf16>
    %wq = model.weight "layers.{layer}.attention.q.weight"[%layer] : tensor<128x128xbf16>
    %q0 = model.linear %n0, %wq : !rows, tensor<128x128xbf16>
    %q1 = model.silu %q0 : !rows
    %q = model.split_heads %q1 : !rows -> !heads
    %wk = model.weight "layers.{layer}.attention.k.weight"[%layer] : tensor<128x128xbf16>
    %k0 = model.linear %n0, %wk : !rows, tensor<128x128xbf16>
    %k1 = model.silu %k0 : !rows
    %k = model.split_heads %k1 : !rows -> !heads
    %wv = model.weight "layers.{layer}.attention.v.weight"[%layer] : tensor<128x128xbf16>
    %v0 = model.linear %n0, %wv : !rows, tensor<128x128xbf16>
    %v = model.split_heads %v0 : !rows -> !heads
    %rate = model.row @rates[%layer] : tensor<4xf32>
    %o, %s1 = model.linear_attention additive, head %q, %k, %v, %batch rate %rate state %s0
        : (!heads, !heads, !heads, !model.batch, tensor<4xf32>, !state) -> (!heads, !state)
    %m = model.merge_heads %o : !heads
    %g1 = model.weight "layers.{layer}.attention.norm.weight"[%layer] : tensor<128xbf16>
    %z = model.rms_norm %m, %g1 eps 1.0e-6 : !rows, tensor<128xbf16>
    %wu = model.weight "layers.{layer}.attention.gate.weight"[%layer] : tensor<128x128xbf16>
    %u0 = model.linear %n0, %wu : !rows, tensor<128x128xbf16>
    %u = model.sigmoid %u0 : !rows
    %gated = arith.mulf %u, %z : !rows
    %wo = model.weight "layers.{layer}.attention.out.weight"[%layer] : tensor<128x128xbf16>
    %a = model.linear %gated, %wo : !rows, tensor<128x128xbf16>
    %y = model.residual %x, %a scale %one, %one : !rows, !rows

    // The MLP: a gated product without experts.
    %g2 = model.weight "layers.{layer}.mlp_norm.weight"[%layer] : tensor<128xbf16>
    %n1 = model.rms_norm %y, %g2 eps 1.0e-6 : !rows, tensor<128xbf16>
    %w1 = model.weight "layers.{layer}.mlp.gate.weight"[%layer] : tensor<320x128xbf16>
    %h0 = model.linear %n1, %w1 : !rows, tensor<320x128xbf16>
    %h1 = model.silu %h0 : !wide
    %w3 = model.weight "layers.{layer}.mlp.up.weight"[%layer] : tensor<320x128xbf16>
    %h2 = model.linear %n1, %w3 : !rows, tensor<320x128xbf16>
    %h = arith.mulf %h1, %h2 : !wide
    %w2 = model.weight "layers.{layer}.mlp.down.weight"[%layer] : tensor<128x320xbf16>
    %d = model.linear %h, %w2 : !wide, tensor<128x320xbf16>
    %x1 = model.residual %y, %d scale %one, %one : !rows, !rows
    model.return %x1, %s1 : !rows, !state
  }

  model.func @main(%ids: tensor<?xi32, #model.rows<tokens>>, %batch: !model.batch, %s0: !states) -> (tensor<?x512xf32, #model.rows<outputs>>, !states) {
    %table = model.weight "embedding.weight" : tensor<512x128xbf16>
    %x = model.embedding %ids, %table : tensor<?xi32, #model.rows<tokens>>, tensor<512x128xbf16>
    %y, %s1 = model.stack %x, %batch states(%s0) [[6, @layer]] : (!rows, !model.batch, !states) -> (!rows, !states)
    %last = model.select_rows %y, %batch : !rows
    %g = model.weight "norm.weight" : tensor<128xbf16>
    %n = model.rms_norm %last, %g eps 1.0e-6 : tensor<?x128xf32, #model.rows<outputs>>, tensor<128xbf16>
    %head = model.weight "head.weight" : tensor<512x128xbf16>
    %logits = model.linear %n, %head : tensor<?x128xf32, #model.rows<outputs>>, tensor<512x128xbf16>
    model.return %logits, %s1 : tensor<?x512xf32, #model.rows<outputs>>, !states
  }
}

// A hybrid model of the family in miniature: 2 x (2 lightning, 1 softmax), a mixture of experts in every layer, tails everywhere (300 ids, 80
// expert channels). Constants are exact in float32, so the tile program in float64 can be compared with the model to 1e-9.
#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

model.program @hybrid attributes {vocabulary = 300 : i64, max_position = 4096 : i64} {
  model.table @rates : tensor<6x4xf32> = #model.lightning_rates<layers = 6, heads = 4, form = original>

  model.func @lightning(%x: tensor<?x64xf32, #tokens>, %batch: !model.batch, %layer: index, %state: tensor<4x16x16xf32, #model.state>)
      -> (tensor<?x64xf32, #tokens>, tensor<4x16x16xf32, #model.state>) {
    %norm_gain = model.weight "model.layers.{layer}.input_layernorm.weight"[%layer] : tensor<64xbf16>
    %n = model.rms_norm %x, %norm_gain eps 7.62939453125e-06 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %wqkv = model.weight "model.layers.{layer}.self_attn.qkv_proj.weight"[%layer] : tensor<192x64xbf16>
    %qkv = model.linear %n, %wqkv : tensor<?x64xf32, #tokens>, tensor<192x64xbf16>
    %u = model.silu %qkv : tensor<?x192xf32, #tokens>
    %q, %k, %v = model.split_heads %u : tensor<?x192xf32, #tokens> -> tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>
    %rate = model.row @rates[%layer] : tensor<4xf32>
    %o, %state1 = model.linear_attention additive, head %q, %k, %v, %batch rate %rate state %state
        : (tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, tensor<?x4x16xf32, #tokens>, !model.batch, tensor<4xf32>, tensor<4x16x16xf32, #model.state>)
        -> (tensor<?x4x16xf32, #tokens>, tensor<4x16x16xf32, #model.state>)
    %merged = model.merge_heads %o : tensor<?x4x16xf32, #tokens>
    %inner_gain = model.weight "model.layers.{layer}.self_attn.norm.weight"[%layer] : tensor<64xbf16>
    %z = model.rms_norm %merged, %inner_gain eps 9.5367431640625e-07 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %wgate = model.weight "model.layers.{layer}.self_attn.output_gate.weight"[%layer] : tensor<64x64xbf16>
    %g = model.linear %n, %wgate : tensor<?x64xf32, #tokens>, tensor<64x64xbf16>
    %gate = model.sigmoid %g : tensor<?x64xf32, #tokens>
    %gated = arith.mulf %gate, %z : tensor<?x64xf32, #tokens>
    %wout = model.weight "model.layers.{layer}.self_attn.out_proj.weight"[%layer] : tensor<64x64xbf16>
    %a = model.linear %gated, %wout : tensor<?x64xf32, #tokens>, tensor<64x64xbf16>
    %alpha = arith.constant 2.0 : f32
    %beta = arith.constant 1.0 : f32
    %y = model.residual %n, %a scale %alpha, %beta : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>

    %post_gain = model.weight "model.layers.{layer}.post_attention_layernorm.weight"[%layer] : tensor<64xbf16>
    %n2 = model.rms_norm %y, %post_gain eps 7.62939453125e-06 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %router = model.weight "model.layers.{layer}.block_sparse_moe.gate.weight"[%layer] : tensor<6x64xf32>
    %weights, %experts = model.route %n2, %router top 2 : tensor<?x64xf32, #tokens>, tensor<6x64xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    %w1 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight"[%layer] : tensor<6x80x64xbf16>
    %w3 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w3.weight"[%layer] : tensor<6x80x64xbf16>
    %w2 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w2.weight"[%layer] : tensor<6x64x80xbf16>
    %m = model.experts %n2 routed(%weights, %experts) through %w1, %w3, %w2 : tensor<?x64xf32, #tokens>, tensor<?x2xf32, #tokens>,
        tensor<?x2xi32, #tokens>, tensor<6x80x64xbf16>, tensor<6x80x64xbf16>, tensor<6x64x80xbf16>
    %x1 = model.residual %n2, %m scale %alpha, %beta : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>
    model.return %x1, %state1 : tensor<?x64xf32, #tokens>, tensor<4x16x16xf32, #model.state>
  }

  model.func @softmax(%x: tensor<?x64xf32, #tokens>, %batch: !model.batch, %layer: index, %k_cache: tensor<?x2x16xf32, #model.kv>,
                      %v_cache: tensor<?x2x16xf32, #model.kv>) -> (tensor<?x64xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>) {
    %norm_gain = model.weight "model.layers.{layer}.input_layernorm.weight"[%layer] : tensor<64xbf16>
    %n = model.rms_norm %x, %norm_gain eps 7.62939453125e-06 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %wq = model.weight "model.layers.{layer}.self_attn.q_proj.weight"[%layer] : tensor<64x64xbf16>
    %wk = model.weight "model.layers.{layer}.self_attn.k_proj.weight"[%layer] : tensor<32x64xbf16>
    %wv = model.weight "model.layers.{layer}.self_attn.v_proj.weight"[%layer] : tensor<32x64xbf16>
    %q0 = model.linear %n, %wq : tensor<?x64xf32, #tokens>, tensor<64x64xbf16>
    %k0 = model.linear %n, %wk : tensor<?x64xf32, #tokens>, tensor<32x64xbf16>
    %v0 = model.linear %n, %wv : tensor<?x64xf32, #tokens>, tensor<32x64xbf16>
    %q1 = model.split_heads %q0 : tensor<?x64xf32, #tokens> -> tensor<?x4x16xf32, #tokens>
    %k1 = model.split_heads %k0 : tensor<?x32xf32, #tokens> -> tensor<?x2x16xf32, #tokens>
    %v = model.split_heads %v0 : tensor<?x32xf32, #tokens> -> tensor<?x2x16xf32, #tokens>
    %q = model.rope %q1, %batch theta 1.0e7 dims 8 : tensor<?x4x16xf32, #tokens>
    %k = model.rope %k1, %batch theta 1.0e7 dims 8 : tensor<?x2x16xf32, #tokens>
    %o, %k_cache1, %v_cache1 = model.attention %q, %k, %v, %batch cache(%k_cache, %v_cache) scale 0.25 : tensor<?x4x16xf32, #tokens>,
        tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
        -> tensor<?x4x16xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
    %merged = model.merge_heads %o : tensor<?x4x16xf32, #tokens>
    %wout = model.weight "model.layers.{layer}.self_attn.o_proj.weight"[%layer] : tensor<64x64xbf16>
    %a = model.linear %merged, %wout : tensor<?x64xf32, #tokens>, tensor<64x64xbf16>
    %alpha = arith.constant 2.0 : f32
    %beta = arith.constant 1.0 : f32
    %y = model.residual %n, %a scale %alpha, %beta : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>

    %post_gain = model.weight "model.layers.{layer}.post_attention_layernorm.weight"[%layer] : tensor<64xbf16>
    %n2 = model.rms_norm %y, %post_gain eps 7.62939453125e-06 : tensor<?x64xf32, #tokens>, tensor<64xbf16>
    %router = model.weight "model.layers.{layer}.block_sparse_moe.gate.weight"[%layer] : tensor<6x64xf32>
    %weights, %experts = model.route %n2, %router top 2 : tensor<?x64xf32, #tokens>, tensor<6x64xf32> -> tensor<?x2xf32, #tokens>, tensor<?x2xi32, #tokens>
    %w1 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight"[%layer] : tensor<6x80x64xbf16>
    %w3 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w3.weight"[%layer] : tensor<6x80x64xbf16>
    %w2 = model.weight "model.layers.{layer}.block_sparse_moe.experts.{expert}.w2.weight"[%layer] : tensor<6x64x80xbf16>
    %m = model.experts %n2 routed(%weights, %experts) through %w1, %w3, %w2 : tensor<?x64xf32, #tokens>, tensor<?x2xf32, #tokens>,
        tensor<?x2xi32, #tokens>, tensor<6x80x64xbf16>, tensor<6x80x64xbf16>, tensor<6x64x80xbf16>
    %x1 = model.residual %n2, %m scale %alpha, %beta : tensor<?x64xf32, #tokens>, tensor<?x64xf32, #tokens>
    model.return %x1, %k_cache1, %v_cache1 : tensor<?x64xf32, #tokens>, tensor<?x2x16xf32, #model.kv>, tensor<?x2x16xf32, #model.kv>
  }

  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch, %states: tensor<4x4x16x16xf32, #model.state>,
                   %k_caches: tensor<2x?x2x16xf32, #model.kv>, %v_caches: tensor<2x?x2x16xf32, #model.kv>)
      -> (tensor<?x300xf32, #outputs>, tensor<4x4x16x16xf32, #model.state>, tensor<2x?x2x16xf32, #model.kv>, tensor<2x?x2x16xf32, #model.kv>) {
    %table = model.weight "model.embed_tokens.weight" : tensor<300x64xbf16>
    %x = model.embedding %ids, %table : tensor<?xi32, #tokens>, tensor<300x64xbf16>
    %y, %states1, %k_caches1, %v_caches1 = model.stack %x, %batch states(%states, %k_caches, %v_caches) [[2, [2, @lightning], @softmax]]
        : (tensor<?x64xf32, #tokens>, !model.batch, tensor<4x4x16x16xf32, #model.state>, tensor<2x?x2x16xf32, #model.kv>, tensor<2x?x2x16xf32, #model.kv>)
        -> (tensor<?x64xf32, #tokens>, tensor<4x4x16x16xf32, #model.state>, tensor<2x?x2x16xf32, #model.kv>, tensor<2x?x2x16xf32, #model.kv>)
    %rows = model.select_rows %y, %batch : tensor<?x64xf32, #tokens>
    %final_gain = model.weight "model.norm.weight" : tensor<64xbf16>
    %n = model.rms_norm %rows, %final_gain eps 7.62939453125e-06 : tensor<?x64xf32, #outputs>, tensor<64xbf16>
    %head = model.weight "lm_head.weight" : tensor<300x64xbf16>
    %logits = model.linear %n, %head : tensor<?x64xf32, #outputs>, tensor<300x64xbf16>
    model.return %logits, %states1, %k_caches1, %v_caches1 : tensor<?x300xf32, #outputs>, tensor<4x4x16x16xf32, #model.state>,
        tensor<2x?x2x16xf32, #model.kv>, tensor<2x?x2x16xf32, #model.kv>
  }
}

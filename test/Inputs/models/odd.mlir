// Shapes and orders that the released models do not have: pre-norm residuals with scales from tables, a window, values wider than keys, RoPE on all
// channels of the keys only, a recurrence without decay and with a scale, a dense MLP, top 3 of 5 experts, widths that are no multiple of a vector.
#tokens = #model.rows<tokens>
#outputs = #model.rows<outputs>

model.program @odd attributes {vocabulary = 70 : i64, max_position = 1024 : i64} {
  model.table @alpha : tensor<4xf32> = dense<[1.0, 0.5, 1.25, 2.0]> : tensor<4xf32>
  model.table @beta : tensor<4xf32> = dense<[0.5, 1.0, 0.75, 1.5]> : tensor<4xf32>

  model.func @windowed(%x: tensor<?x40xf32, #tokens>, %batch: !model.batch, %layer: index, %k_cache: tensor<?x3x8xf32, #model.kv>,
                       %v_cache: tensor<?x3x12xf32, #model.kv>) -> (tensor<?x40xf32, #tokens>, tensor<?x3x8xf32, #model.kv>, tensor<?x3x12xf32, #model.kv>) {
    %gain = model.weight "layers.{layer}.norm.weight"[%layer] : tensor<40xf32>
    %n = model.rms_norm %x, %gain eps 7.62939453125e-06 : tensor<?x40xf32, #tokens>, tensor<40xf32>
    %wq = model.weight "layers.{layer}.q.weight"[%layer] : tensor<48x40xf32>
    %wk = model.weight "layers.{layer}.k.weight"[%layer] : tensor<24x40xf32>
    %wv = model.weight "layers.{layer}.v.weight"[%layer] : tensor<36x40xf32>
    %q0 = model.linear %n, %wq : tensor<?x40xf32, #tokens>, tensor<48x40xf32>
    %k0 = model.linear %n, %wk : tensor<?x40xf32, #tokens>, tensor<24x40xf32>
    %v0 = model.linear %n, %wv : tensor<?x40xf32, #tokens>, tensor<36x40xf32>
    %q = model.split_heads %q0 : tensor<?x48xf32, #tokens> -> tensor<?x6x8xf32, #tokens>
    %k1 = model.split_heads %k0 : tensor<?x24xf32, #tokens> -> tensor<?x3x8xf32, #tokens>
    %v = model.split_heads %v0 : tensor<?x36xf32, #tokens> -> tensor<?x3x12xf32, #tokens>
    %k = model.rope %k1, %batch theta 5.0e5 dims 8 : tensor<?x3x8xf32, #tokens>
    %o, %k_cache1, %v_cache1 = model.attention %q, %k, %v, %batch cache(%k_cache, %v_cache) scale 0.5 {window = 20 : i64} : tensor<?x6x8xf32, #tokens>,
        tensor<?x3x8xf32, #tokens>, tensor<?x3x12xf32, #tokens>, tensor<?x3x8xf32, #model.kv>, tensor<?x3x12xf32, #model.kv>
        -> tensor<?x6x12xf32, #tokens>, tensor<?x3x8xf32, #model.kv>, tensor<?x3x12xf32, #model.kv>
    %merged = model.merge_heads %o : tensor<?x6x12xf32, #tokens>
    %wout = model.weight "layers.{layer}.out.weight"[%layer] : tensor<40x72xf32>
    %a = model.linear %merged, %wout : tensor<?x72xf32, #tokens>, tensor<40x72xf32>
    %alpha = model.row @alpha[%layer] : f32
    %beta = model.row @beta[%layer] : f32
    %y = model.residual %x, %a scale %alpha, %beta : tensor<?x40xf32, #tokens>, tensor<?x40xf32, #tokens>

    %post_gain = model.weight "layers.{layer}.post_norm.weight"[%layer] : tensor<40xf32>
    %n2 = model.rms_norm %y, %post_gain eps 7.62939453125e-06 : tensor<?x40xf32, #tokens>, tensor<40xf32>
    %w1 = model.weight "layers.{layer}.w1.weight"[%layer] : tensor<52x40xf32>
    %w3 = model.weight "layers.{layer}.w3.weight"[%layer] : tensor<52x40xf32>
    %w2 = model.weight "layers.{layer}.w2.weight"[%layer] : tensor<40x52xf32>
    %g = model.linear %n2, %w1 : tensor<?x40xf32, #tokens>, tensor<52x40xf32>
    %u = model.linear %n2, %w3 : tensor<?x40xf32, #tokens>, tensor<52x40xf32>
    %s = model.silu %g : tensor<?x52xf32, #tokens>
    %h = arith.mulf %s, %u : tensor<?x52xf32, #tokens>
    %m = model.linear %h, %w2 : tensor<?x52xf32, #tokens>, tensor<40x52xf32>
    %z = model.residual %y, %m scale %alpha, %beta : tensor<?x40xf32, #tokens>, tensor<?x40xf32, #tokens>
    model.return %z, %k_cache1, %v_cache1 : tensor<?x40xf32, #tokens>, tensor<?x3x8xf32, #model.kv>, tensor<?x3x12xf32, #model.kv>
  }

  model.func @recurrent(%x: tensor<?x40xf32, #tokens>, %batch: !model.batch, %layer: index, %state: tensor<3x8x12xf32, #model.state>)
      -> (tensor<?x40xf32, #tokens>, tensor<3x8x12xf32, #model.state>) {
    %gain = model.weight "layers.{layer}.norm.weight"[%layer] : tensor<40xf32>
    %n = model.rms_norm %x, %gain eps 7.62939453125e-06 : tensor<?x40xf32, #tokens>, tensor<40xf32>
    %wqk = model.weight "layers.{layer}.qk.weight"[%layer] : tensor<48x40xf32>
    %wv = model.weight "layers.{layer}.v.weight"[%layer] : tensor<36x40xf32>
    %qk = model.linear %n, %wqk : tensor<?x40xf32, #tokens>, tensor<48x40xf32>
    %v0 = model.linear %n, %wv : tensor<?x40xf32, #tokens>, tensor<36x40xf32>
    %q, %k = model.split_heads %qk : tensor<?x48xf32, #tokens> -> tensor<?x3x8xf32, #tokens>, tensor<?x3x8xf32, #tokens>
    %v1 = model.split_heads %v0 : tensor<?x36xf32, #tokens> -> tensor<?x3x12xf32, #tokens>
    %v = model.silu %v1 : tensor<?x3x12xf32, #tokens>
    %o, %state1 = model.linear_attention additive, none %q, %k, %v, %batch state %state {scale = 0.0625}
        : (tensor<?x3x8xf32, #tokens>, tensor<?x3x8xf32, #tokens>, tensor<?x3x12xf32, #tokens>, !model.batch, tensor<3x8x12xf32, #model.state>)
        -> (tensor<?x3x12xf32, #tokens>, tensor<3x8x12xf32, #model.state>)
    %merged = model.merge_heads %o : tensor<?x3x12xf32, #tokens>
    %wout = model.weight "layers.{layer}.out.weight"[%layer] : tensor<40x36xf32>
    %a = model.linear %merged, %wout : tensor<?x36xf32, #tokens>, tensor<40x36xf32>
    %alpha = model.row @alpha[%layer] : f32
    %beta = model.row @beta[%layer] : f32
    %y = model.residual %x, %a scale %alpha, %beta : tensor<?x40xf32, #tokens>, tensor<?x40xf32, #tokens>

    %post_gain = model.weight "layers.{layer}.post_norm.weight"[%layer] : tensor<40xf32>
    %n2 = model.rms_norm %y, %post_gain eps 7.62939453125e-06 : tensor<?x40xf32, #tokens>, tensor<40xf32>
    %router = model.weight "layers.{layer}.gate.weight"[%layer] : tensor<5x40xf32>
    %weights, %experts = model.route %n2, %router top 3 : tensor<?x40xf32, #tokens>, tensor<5x40xf32> -> tensor<?x3xf32, #tokens>, tensor<?x3xi32, #tokens>
    %w1 = model.weight "layers.{layer}.experts.{expert}.w1.weight"[%layer] : tensor<5x20x40xf32>
    %w3 = model.weight "layers.{layer}.experts.{expert}.w3.weight"[%layer] : tensor<5x20x40xf32>
    %w2 = model.weight "layers.{layer}.experts.{expert}.w2.weight"[%layer] : tensor<5x40x20xf32>
    %m = model.experts %n2 routed(%weights, %experts) through %w1, %w3, %w2 : tensor<?x40xf32, #tokens>, tensor<?x3xf32, #tokens>,
        tensor<?x3xi32, #tokens>, tensor<5x20x40xf32>, tensor<5x20x40xf32>, tensor<5x40x20xf32>
    %z = model.residual %y, %m scale %alpha, %beta : tensor<?x40xf32, #tokens>, tensor<?x40xf32, #tokens>
    model.return %z, %state1 : tensor<?x40xf32, #tokens>, tensor<3x8x12xf32, #model.state>
  }

  model.func @main(%ids: tensor<?xi32, #tokens>, %batch: !model.batch, %k_caches: tensor<2x?x3x8xf32, #model.kv>,
                   %v_caches: tensor<2x?x3x12xf32, #model.kv>, %states: tensor<2x3x8x12xf32, #model.state>)
      -> (tensor<?x70xf32, #outputs>, tensor<2x?x3x8xf32, #model.kv>, tensor<2x?x3x12xf32, #model.kv>, tensor<2x3x8x12xf32, #model.state>) {
    %table = model.weight "embed.weight" : tensor<70x40xf32>
    %x = model.embedding %ids, %table : tensor<?xi32, #tokens>, tensor<70x40xf32>
    %y, %k_caches1, %v_caches1, %states1 = model.stack %x, %batch states(%k_caches, %v_caches, %states) [[2, @windowed, @recurrent]]
        : (tensor<?x40xf32, #tokens>, !model.batch, tensor<2x?x3x8xf32, #model.kv>, tensor<2x?x3x12xf32, #model.kv>, tensor<2x3x8x12xf32, #model.state>)
        -> (tensor<?x40xf32, #tokens>, tensor<2x?x3x8xf32, #model.kv>, tensor<2x?x3x12xf32, #model.kv>, tensor<2x3x8x12xf32, #model.state>)
    %final_gain = model.weight "norm.weight" : tensor<40xf32>
    %n = model.rms_norm %y, %final_gain eps 7.62939453125e-06 : tensor<?x40xf32, #tokens>, tensor<40xf32>
    %rows = model.select_rows %n, %batch : tensor<?x40xf32, #tokens>
    %logits = model.linear %rows, %table : tensor<?x40xf32, #outputs>, tensor<70x40xf32>
    model.return %logits, %k_caches1, %v_caches1, %states1 : tensor<?x70xf32, #outputs>, tensor<2x?x3x8xf32, #model.kv>,
        tensor<2x?x3x12xf32, #model.kv>, tensor<2x3x8x12xf32, #model.state>
  }
}

// The mathematics of the model dialect. Row tensors are tensor<?x...xf32, #model.rows<space>>; every op computes in f32
// (the interpreter also in f64) from operands of any float type and yields f32. Elementwise sums and products are
// arith.addf / arith.mulf on row tensors.
#ifndef MMC_MODEL_MATH_OPS
#define MMC_MODEL_MATH_OPS

class Model_MathOp<string mnemonic, list<Trait> traits = []> : Model_Op<mnemonic, !listconcat([Pure], traits)>;
class Model_InferOp<string mnemonic, list<Trait> traits = []>
    : Model_MathOp<mnemonic, !listconcat([InferTypeOpAdaptor], traits)>;

def Model_EmbeddingOp : Model_InferOp<"embedding"> {
  let summary = "rows of the embedding table: y[t] = table[ids[t]]";
  let description = [{
    Gathers one row of `table` [V, D] per id. An id outside 0 .. V-1 is refused before a step begins, never clamped.

    Constraints:
    * (C1) `ids` has rank 1.
    * (C2) `table` has rank 2.

    ```mlir
    // %ids: tensor<?xi32, #model.rows<tokens>>, %table: tensor<320x64xbf16>
    %y = model.embedding %ids, %table : tensor<?xi32, #model.rows<tokens>>, tensor<320x64xbf16>
    ```
  }];
  let arguments = (ins Model_IntRows:$ids, Model_Parameter:$table);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$ids `,` $table attr-dict `:` type($ids) `,` type($table)";
  let hasVerifier = 1;
}

def Model_RmsNormOp : Model_InferOp<"rms_norm"> {
  let summary = "y = x / sqrt(mean(x^2) + eps) * gain, over the last dimension";
  let description = [{
    Scales each row to a root mean square of one. Statistics are over all channels of a row; the gain is applied after
    the division.

    Constraints:
    * (C1) `x` is [rows, D] and `gain` is [D].
    * (C2) `eps` is positive and finite.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %gain: tensor<64xbf16>
    %y = model.rms_norm %x, %gain eps 1.0e-5 : tensor<?x64xf32, #model.rows<tokens>>, tensor<64xbf16>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Parameter:$gain, F64Attr:$eps);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $gain `eps` $eps attr-dict `:` type($x) `,` type($gain)";
  let hasVerifier = 1;
}

def Model_LinearOp : Model_InferOp<"linear"> {
  let summary = "y[r, n] = sum over k of x[r, k] * weight[n, k]";
  let description = [{
    Multiplies by a matrix: a dense product without bias; the weight is stored as checkpoints do, one row per output
    channel.

    Constraints:
    * (C1) `x` is [rows, K] and `weight` is [N, K].

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %w: tensor<384x64xbf16>
    %y = model.linear %x, %w : tensor<?x64xf32, #model.rows<tokens>>, tensor<384x64xbf16>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Parameter:$weight);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x) `,` type($weight)";
  let hasVerifier = 1;
}

class Model_UnaryOp<string mnemonic> : Model_MathOp<mnemonic, [SameOperandsAndResultType]> {
  let arguments = (ins Model_Rows:$x);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Model_SiluOp : Model_UnaryOp<"silu"> {
  let summary = "x * sigmoid(x), elementwise";
  let description = [{
    Multiplies each element by its sigmoid: the activation of experts and of lightning attention's projections.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>
    %y = model.silu %x : tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
}
def Model_SigmoidOp : Model_UnaryOp<"sigmoid"> {
  let summary = "1 / (1 + exp(-x)), elementwise";
  let description = [{
    Maps each element to between 0 and 1: the output gate of lightning attention.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>
    %y = model.sigmoid %x : tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
}

def Model_ResidualOp : Model_InferOp<"residual"> {
  let summary = "y = alpha * x + beta * branch";
  let description = [{
    Adds a branch to the stream: the scaled residual sum of DeepNorm; plain residuals have both scales one.

    Constraints:
    * (C1) `x` and `branch` have the same shape and row space (element types may differ).

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %a: tensor<?x64xf32, #model.rows<tokens>>, %alpha: f32, %beta: f32
    %y = model.residual %x, %a scale %alpha, %beta
        : tensor<?x64xf32, #model.rows<tokens>>, tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Rows:$branch, F32:$alpha, F32:$beta);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $branch `scale` $alpha `,` $beta attr-dict `:` type($x) `,` type($branch)";
  let hasVerifier = 1;
}

def Model_SplitHeadsOp : Model_Op<"split_heads", [Pure]> {
  let summary = "row [H * parts * D], interleaved per head, to `parts` tensors [H, D]";
  let description = [{
    Reshapes a row into heads and hands out their parts: part p of head h is channels (h * parts + p) * D .. + D. With
    one result this is the plain reshape of [H * D] to [H, D]. The element type is kept.

    Constraints:
    * (C1) there is at least one result, and all results have one type.
    * (C2) `x` is [rows, N] and each result is [rows, H, D] of the same row space and element type.
    * (C3) N is parts * H * D.

    ```mlir
    // %x: tensor<?x384xf32, #model.rows<tokens>>
    %q, %k, %v = model.split_heads %x : tensor<?x384xf32, #model.rows<tokens>>
        -> tensor<?x4x32xf32, #model.rows<tokens>>, tensor<?x4x32xf32, #model.rows<tokens>>,
           tensor<?x4x32xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x);
  let results = (outs Variadic<Model_Rows>:$parts);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($parts)";
  let hasVerifier = 1;
}

def Model_MergeHeadsOp : Model_InferOp<"merge_heads"> {
  let summary = "[H, D] to [H * D], head-major";
  let description = [{
    Reshapes heads to one row, the inverse of a split with one part. The element type is kept.

    Constraints:
    * (C1) `x` is [rows, H, D].

    ```mlir
    // %x: tensor<?x4x32xf32, #model.rows<tokens>>
    %y = model.merge_heads %x : tensor<?x4x32xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Model_RopeOp : Model_InferOp<"rope"> {
  let summary = "rotary position embedding on the first rotary_dim channels of each head";
  let description = [{
    Rotates pairs of channels by an angle that grows with the position. Half-split pairs (j, j + rotary_dim / 2);
    angle = position * theta^(-2 j / rotary_dim), formed in float64. Channels from rotary_dim on pass.

    Constraints:
    * (C1) `x` is [tokens, H, D].
    * (C2) `rotary_dim` is even, positive and at most D.
    * (C3) `theta` is positive and finite.

    ```mlir
    // %q: tensor<?x4x32xf32, #model.rows<tokens>>, %batch: !model.batch
    %y = model.rope %q, %batch theta 1.0e7 dims 16 : tensor<?x4x32xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_BatchType:$batch, F64Attr:$theta, I64Attr:$rotary_dim);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $batch `theta` $theta `dims` $rotary_dim attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Model_AttentionOp : Model_MathOp<"attention"> {
  let summary = "causal softmax attention of each sequence over its cached positions, grouped queries";
  let description = [{
    Appends k and v at the step's positions to the caches, then
    y[t, h] = softmax over j <= position(t) of (scale * q[t, h] . K[j, g]) times V[j, g] with g = h / (H / Hkv).
    `window` > 0 keeps only j > position - window.

    Constraints:
    * (C1) `q` is [tokens, H, D], `k` is [tokens, Hkv, D], `v` is [tokens, Hkv, Dv].
    * (C2) H is a multiple of Hkv.
    * (C3) `k_cache` is [positions, Hkv, D], `v_cache` is [positions, Hkv, Dv].
    * (C4) the new caches have the types of the old ones; the result is f32 [tokens, H, Dv].
    * (C5) `scale` is finite and `window` is not negative.

    ```mlir
    // %q: tensor<?x4x32xf32, #model.rows<tokens>>, %k: tensor<?x2x32xf32, #model.rows<tokens>>
    // %v: tensor<?x2x32xf32, #model.rows<tokens>>, %batch: !model.batch
    // %k0: tensor<?x2x32xf32, #model.kv>, %v0: tensor<?x2x32xf32, #model.kv>
    %y, %k1, %v1 = model.attention %q, %k, %v, %batch cache(%k0, %v0) scale 0.125
        : tensor<?x4x32xf32, #model.rows<tokens>>, tensor<?x2x32xf32, #model.rows<tokens>>,
          tensor<?x2x32xf32, #model.rows<tokens>>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
        -> tensor<?x4x32xf32, #model.rows<tokens>>, tensor<?x2x32xf32, #model.kv>, tensor<?x2x32xf32, #model.kv>
    ```
  }];
  let arguments = (ins Model_Rows:$q, Model_Rows:$k, Model_Rows:$v, Model_BatchType:$batch,
                       Model_Cache:$k_cache, Model_Cache:$v_cache,
                       F64Attr:$scale, DefaultValuedAttr<I64Attr, "0">:$window);
  let results = (outs Model_Rows:$result, Model_Cache:$new_k_cache, Model_Cache:$new_v_cache);
  let assemblyFormat = [{
    $q `,` $k `,` $v `,` $batch `cache` `(` $k_cache `,` $v_cache `)` `scale` $scale attr-dict `:`
    type($q) `,` type($k) `,` type($v) `,` type($k_cache) `,` type($v_cache) `->`
    type($result) `,` type($new_k_cache) `,` type($new_v_cache)
  }];
  let hasVerifier = 1;
}

def Model_LinearAttentionOp : Model_MathOp<"linear_attention", [AttrSizedOperandSegments]> {
  let summary = "the chunked linear recurrence of a whole family of layers";
  let description = [{
    Carries a state from token to token: S_t = E_t D_t S_{t-1} + beta_t k_t v_t^T; y_t = scale S_t^T q_t, read after the
    update. D_t = diag(exp(-rate_t)), by `decay`: none, head (rate: tensor<H>), token (rate: row tensor [H]), channel
    (rate: row tensor [H, K]). E_t = I (`additive`) or I - beta_t k_t k_t^T (`delta`). beta (row tensor [H]) is one
    where absent. The state is [H, K, V] per sequence. Lightning attention is additive, head, scale 1.

    Constraints:
    * (C1) `q` and `k` are [tokens, H, K], `v` is [tokens, H, V].
    * (C2) `rate` is present unless `decay` is none, with the shape that `decay` asks for.
    * (C3) `beta`, where present, is [tokens, H].
    * (C4) `state` is [H, K, V], and the new state has its type.
    * (C5) the result is f32 [tokens, H, V].
    * (C6) `scale` is finite.

    ```mlir
    // %q: tensor<?x4x32xf32, #model.rows<tokens>>, %k: tensor<?x4x32xf32, #model.rows<tokens>>
    // %v: tensor<?x4x32xf32, #model.rows<tokens>>, %batch: !model.batch
    // %rate: tensor<4xf32>, %s0: tensor<4x32x32xf32, #model.state>
    %y, %s1 = model.linear_attention additive, head %q, %k, %v, %batch rate %rate state %s0
        : (tensor<?x4x32xf32, #model.rows<tokens>>, tensor<?x4x32xf32, #model.rows<tokens>>,
           tensor<?x4x32xf32, #model.rows<tokens>>, !model.batch, tensor<4xf32>, tensor<4x32x32xf32, #model.state>)
        -> (tensor<?x4x32xf32, #model.rows<tokens>>, tensor<4x32x32xf32, #model.state>)
    ```
  }];
  let arguments = (ins Model_Rows:$q, Model_Rows:$k, Model_Rows:$v, Model_BatchType:$batch,
                       Optional<AnyTensor>:$rate, Optional<Model_Rows>:$beta, Model_RecurrentState:$state,
                       Model_UpdateAttr:$update, Model_DecayAttr:$decay, DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs Model_Rows:$result, Model_RecurrentState:$new_state);
  let assemblyFormat = [{
    `` $update `,` `` $decay $q `,` $k `,` $v `,` $batch (`rate` $rate^)? (`beta` $beta^)? `state` $state attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Model_RouteOp : Model_MathOp<"route"> {
  let summary = "router: softmax over the experts' logits, the top_k largest renormalised, ties to the lowest index";
  let description = [{
    Chooses experts for every token: logits[t, e] = x[t] . gate[e]; p = softmax(logits); the `top_k` largest p, largest
    first, divided by their sum. `experts` holds their indices.

    Constraints:
    * (C1) `x` is [tokens, D] and `gate` is [E, D].
    * (C2) `top_k` is between 1 and E.
    * (C3) `weights` is f32 [tokens, top_k] and `experts` i32 [tokens, top_k].

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %gate: tensor<4x64xf32>
    %w, %e = model.route %x, %gate top 2 : tensor<?x64xf32, #model.rows<tokens>>, tensor<4x64xf32>
        -> tensor<?x2xf32, #model.rows<tokens>>, tensor<?x2xi32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Parameter:$gate, I64Attr:$top_k);
  let results = (outs Model_Rows:$weights, Model_IntRows:$experts);
  let assemblyFormat = [{
    $x `,` $gate `top` $top_k attr-dict `:` type($x) `,` type($gate) `->` type($weights) `,` type($experts)
  }];
  let hasVerifier = 1;
}

def Model_ExpertsOp : Model_InferOp<"experts"> {
  let summary = "mixture of experts: y = sum over a token's choices of weight * (silu(x W1) * (x W3)) W2";
  let description = [{
    Sends each token through its experts and adds up what they return, weighted. `gate_weight` (W1) and `up_weight` (W3)
    are [E, F, D], `down_weight` (W2) is [E, D, F]. Choices are summed in order, j = 0 first.

    Constraints:
    * (C1) `x` is [tokens, D]; `weights` and `experts` are [tokens, k].
    * (C2) `gate_weight` and `up_weight` are [E, F, D] and `down_weight` is [E, D, F].
    * (C3) where `experts` comes from a model.route, its gate has at most E rows.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>
    // %w: tensor<?x2xf32, #model.rows<tokens>>, %e: tensor<?x2xi32, #model.rows<tokens>>
    // %w1: tensor<4x96x64xbf16>, %w3: tensor<4x96x64xbf16>, %w2: tensor<4x64x96xbf16>
    %y = model.experts %x routed(%w, %e) through %w1, %w3, %w2
        : tensor<?x64xf32, #model.rows<tokens>>, tensor<?x2xf32, #model.rows<tokens>>,
          tensor<?x2xi32, #model.rows<tokens>>, tensor<4x96x64xbf16>, tensor<4x96x64xbf16>, tensor<4x64x96xbf16>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Rows:$weights, Model_IntRows:$experts,
                       Model_Parameter:$gate_weight, Model_Parameter:$up_weight, Model_Parameter:$down_weight);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = [{
    $x `routed` `(` $weights `,` $experts `)` `through` $gate_weight `,` $up_weight `,` $down_weight attr-dict `:`
    type($x) `,` type($weights) `,` type($experts) `,` type($gate_weight) `,` type($up_weight) `,` type($down_weight)
  }];
  let hasVerifier = 1;
}

def Model_SelectRowsOp : Model_InferOp<"select_rows"> {
  let summary = "the rows whose logits are wanted: row space tokens to outputs";
  let description = [{
    Gathers rows: the batch says which tokens' rows are kept, in their order. The element type is kept.

    Constraints:
    * (C1) `x` is in row space tokens.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %batch: !model.batch
    %y = model.select_rows %x, %batch : tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_BatchType:$batch);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $batch attr-dict `:` type($x)";
  let hasVerifier = 1;
}

#endif

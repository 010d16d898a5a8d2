// The mathematics of the model dialect. Row tensors are tensor<?x...xf32, #model.rows<space>>; every op computes in f32 (the interpreter also
// in f64) from operands of any float type and yields f32. Elementwise sums and products are arith.addf / arith.mulf on row tensors.
#ifndef MMC_MODEL_MATH_OPS
#define MMC_MODEL_MATH_OPS

class Model_MathOp<string mnemonic, list<Trait> traits = []> : Model_Op<mnemonic, !listconcat([Pure], traits)>;
class Model_InferOp<string mnemonic, list<Trait> traits = []>
    : Model_MathOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface>], traits)>;

def Model_EmbeddingOp : Model_InferOp<"embedding"> {
  let summary = "rows of the embedding table: y[t] = table[ids[t]]";
  let arguments = (ins AnyTensor:$ids, AnyTensor:$table);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$ids `,` $table attr-dict `:` type($ids) `,` type($table)";
  let hasVerifier = 1;
}

def Model_RmsNormOp : Model_InferOp<"rms_norm"> {
  let summary = "y = x / sqrt(mean(x^2) + eps) * gain, over the last dimension";
  let arguments = (ins AnyTensor:$x, AnyTensor:$gain, F64Attr:$eps);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $gain `eps` $eps attr-dict `:` type($x) `,` type($gain)";
  let hasVerifier = 1;
}

def Model_LinearOp : Model_InferOp<"linear"> {
  let summary = "y[r, n] = sum over k of x[r, k] * weight[n, k]";
  let arguments = (ins AnyTensor:$x, AnyTensor:$weight);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x) `,` type($weight)";
  let hasVerifier = 1;
}

class Model_UnaryOp<string mnemonic> : Model_MathOp<mnemonic, [SameOperandsAndResultType]> {
  let arguments = (ins AnyTensor:$x);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Model_SiluOp : Model_UnaryOp<"silu"> { let summary = "x * sigmoid(x), elementwise"; }
def Model_SigmoidOp : Model_UnaryOp<"sigmoid"> { let summary = "1 / (1 + exp(-x)), elementwise"; }

def Model_ResidualOp : Model_InferOp<"residual"> {
  let summary = "y = alpha * x + beta * branch";
  let arguments = (ins AnyTensor:$x, AnyTensor:$branch, F32:$alpha, F32:$beta);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $branch `scale` $alpha `,` $beta attr-dict `:` type($x) `,` type($branch)";
  let hasVerifier = 1;
}

def Model_SplitHeadsOp : Model_Op<"split_heads", [Pure]> {
  let summary = "row [H * parts * D], interleaved per head, to `parts` tensors [H, D]: part p of head h is channels (h * parts + p) * D ...";
  let description = [{
    With one result this is the plain reshape of [H * D] to [H, D].
  }];
  let arguments = (ins AnyTensor:$x);
  let results = (outs Variadic<AnyTensor>:$parts);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($parts)";
  let hasVerifier = 1;
}

def Model_MergeHeadsOp : Model_InferOp<"merge_heads"> {
  let summary = "[H, D] to [H * D], head-major";
  let arguments = (ins AnyTensor:$x);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Model_RopeOp : Model_InferOp<"rope"> {
  let summary = "rotary position embedding on the first rotary_dim channels of each head, half-split pairs (j, j + rotary_dim / 2)";
  let description = [{
    angle = position * theta^(-2 j / rotary_dim), formed in float64.
  }];
  let arguments = (ins AnyTensor:$x, Model_BatchType:$batch, F64Attr:$theta, I64Attr:$rotary_dim);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $batch `theta` $theta `dims` $rotary_dim attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Model_AttentionOp : Model_MathOp<"attention"> {
  let summary = "causal softmax attention of each sequence over its cached positions, grouped queries";
  let description = [{
    Appends k and v at the step's positions to the caches, then y[t, h] = softmax over j <= position(t) of (scale * q[t, h] . K[j, g]) times V[j, g]
    with g = h / (H / Hkv). `window` > 0 keeps only j > position - window.
  }];
  let arguments = (ins AnyTensor:$q, AnyTensor:$k, AnyTensor:$v, Model_BatchType:$batch, AnyTensor:$k_cache, AnyTensor:$v_cache,
                       F64Attr:$scale, DefaultValuedAttr<I64Attr, "0">:$window);
  let results = (outs AnyTensor:$result, AnyTensor:$new_k_cache, AnyTensor:$new_v_cache);
  let assemblyFormat = [{
    $q `,` $k `,` $v `,` $batch `cache` `(` $k_cache `,` $v_cache `)` `scale` $scale attr-dict `:`
    type($q) `,` type($k) `,` type($v) `,` type($k_cache) `,` type($v_cache) `->` type($result) `,` type($new_k_cache) `,` type($new_v_cache)
  }];
  let hasVerifier = 1;
}

def Model_LinearAttentionOp : Model_MathOp<"linear_attention", [AttrSizedOperandSegments]> {
  let summary = "the chunked linear recurrence of a whole family of layers";
  let description = [{
    S_t = E_t D_t S_{t-1} + beta_t k_t v_t^T; y_t = scale S_t^T q_t, read after the update. D_t = diag(exp(-rate_t)), by `decay`: none, head
    (rate: tensor<H>), token (rate: row tensor [H]), channel (rate: row tensor [H, K]). E_t = I (`additive`) or I - beta_t k_t k_t^T (`delta`).
    beta (row tensor [H]) is one where absent. The state is [H, K, V] per sequence. Lightning attention is additive, head, scale 1.
  }];
  let arguments = (ins AnyTensor:$q, AnyTensor:$k, AnyTensor:$v, Model_BatchType:$batch, Optional<AnyTensor>:$rate, Optional<AnyTensor>:$beta,
                       AnyTensor:$state, Model_UpdateAttr:$update, Model_DecayAttr:$decay, DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs AnyTensor:$result, AnyTensor:$new_state);
  let assemblyFormat = [{
    $update `,` $decay $q `,` $k `,` $v `,` $batch (`rate` $rate^)? (`beta` $beta^)? `state` $state attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Model_RouteOp : Model_MathOp<"route"> {
  let summary = "router: softmax over the experts' logits x . gate, the top_k largest renormalised to sum one, ties to the lowest index";
  let arguments = (ins AnyTensor:$x, AnyTensor:$gate, I64Attr:$top_k);
  let results = (outs AnyTensor:$weights, AnyTensor:$experts);
  let assemblyFormat = "$x `,` $gate `top` $top_k attr-dict `:` type($x) `,` type($gate) `->` type($weights) `,` type($experts)";
  let hasVerifier = 1;
}

def Model_ExpertsOp : Model_InferOp<"experts"> {
  let summary = "mixture of experts: y = sum over a token's choices of weight * (silu(x W1) * (x W3)) W2";
  let arguments = (ins AnyTensor:$x, AnyTensor:$weights, AnyTensor:$experts, AnyTensor:$gate_weight, AnyTensor:$up_weight, AnyTensor:$down_weight);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $x `routed` `(` $weights `,` $experts `)` `through` $gate_weight `,` $up_weight `,` $down_weight attr-dict `:`
    type($x) `,` type($weights) `,` type($experts) `,` type($gate_weight) `,` type($up_weight) `,` type($down_weight)
  }];
  let hasVerifier = 1;
}

def Model_SelectRowsOp : Model_InferOp<"select_rows"> {
  let summary = "the rows whose logits are wanted: row space tokens to outputs";
  let arguments = (ins AnyTensor:$x, Model_BatchType:$batch);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $batch attr-dict `:` type($x)";
  let hasVerifier = 1;
}

#endif

// Ops that passes introduce on the way to tile programs: the decomposed mixture of experts, and dispatch regions (what becomes one kernel).
#ifndef MMC_MODEL_DISPATCH_OPS
#define MMC_MODEL_DISPATCH_OPS

def Model_PermuteOp : Model_MathOp<"permute"> {
  let summary = "sorts the routes (token, choice) by expert, stably";
  let description = [{
    From experts [tokens, k]: `offsets` tensor<(E+1)xi32> (expert e owns routes offsets[e] .. offsets[e+1]), `source` tensor<?xi32, routes> (the
    token of each route) and `position` tensor<?xkxi32, tokens> (where choice j of a token went).
  }];
  let arguments = (ins AnyTensor:$experts);
  let results = (outs AnyTensor:$offsets, AnyTensor:$source, AnyTensor:$position);
  let assemblyFormat = "$experts attr-dict `:` type($experts) `->` type($offsets) `,` type($source) `,` type($position)";
  let hasVerifier = 1;
}

def Model_GatherRoutesOp : Model_InferOp<"gather_routes"> {
  let summary = "y[i] = x[source[i]]: row space tokens to routes";
  let arguments = (ins AnyTensor:$x, AnyTensor:$source);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $source attr-dict `:` type($x) `,` type($source)";
  let hasVerifier = 1;
}

def Model_GroupedLinearOp : Model_InferOp<"grouped_linear"> {
  let summary = "y[i] = x[i] weight[e]^T for the expert e that owns route i";
  let arguments = (ins AnyTensor:$x, AnyTensor:$offsets, AnyTensor:$weight);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $offsets `,` $weight attr-dict `:` type($x) `,` type($offsets) `,` type($weight)";
  let hasVerifier = 1;
}

def Model_CombineOp : Model_InferOp<"combine"> {
  let summary = "y[t] = sum over choices j, in order, of weights[t, j] * x[position[t, j]]: row space routes to tokens";
  let arguments = (ins AnyTensor:$x, AnyTensor:$weights, AnyTensor:$position);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x `,` $weights `,` $position attr-dict `:` type($x) `,` type($weights) `,` type($position)";
  let hasVerifier = 1;
}

def Model_DispatchOp : Model_Op<"dispatch", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "ops that become one kernel; uses values from above";
  let regions = (region SizedRegion<1>:$body);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "(`->` type($results)^)? attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Model_YieldOp : Model_Op<"yield", [Pure, HasParent<"DispatchOp">, ReturnLike, Terminator]> {
  let summary = "the results of a dispatch";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{}]>];
}

#endif

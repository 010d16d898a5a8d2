// Ops that passes introduce on the way to tile programs: the decomposed mixture of experts, products side by side, and
// dispatch regions (what becomes one kernel).
#ifndef MMC_MODEL_DISPATCH_OPS
#define MMC_MODEL_DISPATCH_OPS

def Model_PermuteOp : Model_MathOp<"permute"> {
  let summary = "sorts the routes (token, choice) by expert, stably";
  let description = [{
    Orders the routes by the expert that owns them. From experts [tokens, k]: `offsets` tensor<(E+1)xi32> (expert e owns
    routes offsets[e] .. offsets[e+1]), `source` tensor<?xi32, routes> (the token of each route) and `position`
    tensor<?xkxi32, tokens> (where choice j of a token went). Within an expert the routes are in order of token, then
    choice.

    Constraints:
    * (C1) `experts` is [tokens, k].
    * (C2) `offsets` has at least two entries.
    * (C3) `source` is [routes].
    * (C4) `position` has the type of `experts`.
    * (C5) where `experts` comes from a model.route, its gate has at most E rows.

    ```mlir
    // %experts: tensor<?x2xi32, #model.rows<tokens>>
    %offsets, %source, %position = model.permute %experts : tensor<?x2xi32, #model.rows<tokens>>
        -> tensor<5xi32>, tensor<?xi32, #model.rows<routes>>, tensor<?x2xi32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_IntRows:$experts);
  let results = (outs Model_Offsets:$offsets, Model_IntRows:$source, Model_IntRows:$position);
  let assemblyFormat = [{
    $experts attr-dict `:` type($experts) `->` type($offsets) `,` type($source) `,` type($position)
  }];
  let hasVerifier = 1;
}

def Model_GatherRoutesOp : Model_InferOp<"gather_routes"> {
  let summary = "y[i] = x[source[i]]: row space tokens to routes";
  let description = [{
    Copies the row of each route's token. The element type is kept.

    Constraints:
    * (C1) `x` is in row space tokens.
    * (C2) `source` is [routes].

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %source: tensor<?xi32, #model.rows<routes>>
    %y = model.gather_routes %x, %source : tensor<?x64xf32, #model.rows<tokens>>, tensor<?xi32, #model.rows<routes>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_IntRows:$source);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $source attr-dict `:` type($x) `,` type($source)";
  let hasVerifier = 1;
}

def Model_GroupedLinearOp : Model_InferOp<"grouped_linear"> {
  let summary = "y[i] = x[i] weight[e]^T for the expert e that owns route i";
  let description = [{
    Multiplies each row by its expert's matrix: one dense product per expert over the routes it owns; an expert may own
    none.

    Constraints:
    * (C1) `x` is [routes, K] and `weight` is [E, N, K].
    * (C2) `offsets` is [E + 1].

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<routes>>, %offsets: tensor<5xi32>, %w: tensor<4x96x64xbf16>
    %y = model.grouped_linear %x, %offsets, %w
        : tensor<?x64xf32, #model.rows<routes>>, tensor<5xi32>, tensor<4x96x64xbf16>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Offsets:$offsets, Model_Parameter:$weight);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $offsets `,` $weight attr-dict `:` type($x) `,` type($offsets) `,` type($weight)";
  let hasVerifier = 1;
}

def Model_CombineOp : Model_InferOp<"combine"> {
  let summary = "y[t] = sum over choices j, in order, of weights[t, j] * x[position[t, j]]: routes to tokens";
  let description = [{
    Adds up the rows of a token's choices, each times its weight; a gather, so the order of summation is fixed.

    Constraints:
    * (C1) `x` is [routes, D].
    * (C2) `weights` and `position` are [tokens, k].

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<routes>>
    // %weights: tensor<?x2xf32, #model.rows<tokens>>, %position: tensor<?x2xi32, #model.rows<tokens>>
    %y = model.combine %x, %weights, %position : tensor<?x64xf32, #model.rows<routes>>,
        tensor<?x2xf32, #model.rows<tokens>>, tensor<?x2xi32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_Rows:$weights, Model_IntRows:$position);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `,` $weights `,` $position attr-dict `:` type($x) `,` type($weights) `,` type($position)";
  let hasVerifier = 1;
}

def Model_ConcatOp : Model_InferOp<"concat"> {
  let summary = "products side by side: weights one below the other, or the channels of rows one after the other";
  let description = [{
    Joins tensors along the output channels, which are dimension 0 of a weight [N, K] and dimension 1 of rows
    [rows, N]. The product by the concatenated weight is the concatenation of the products.

    Constraints:
    * (C1) there are at least two inputs.
    * (C2) the inputs are all weights [N, K] of one K, or all [rows, N] of one row space, with one element type.

    ```mlir
    // %q: tensor<128x64xbf16>, %k: tensor<64x64xbf16>
    %w = model.concat %q, %k : tensor<128x64xbf16>, tensor<64x64xbf16>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs)";
  let hasVerifier = 1;
}

def Model_SliceOp : Model_MathOp<"slice"> {
  let summary = "some of the channels of each row";
  let description = [{
    Names channels `first` to `first` + n - 1 of rows [rows, N] as rows [rows, n]; nothing moves.

    Constraints:
    * (C1) `x` is [rows, N], and the result is [rows, n] of its row space and element type.
    * (C2) `first` is not negative, and `first` + n is at most N.

    ```mlir
    // %x: tensor<?x192xbf16, #model.rows<tokens>>
    %y = model.slice %x from 128 : tensor<?x192xbf16, #model.rows<tokens>> -> tensor<?x64xbf16, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Model_Rows:$x, I64Attr:$first);
  let results = (outs Model_Rows:$result);
  let assemblyFormat = "$x `from` $first attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Model_DispatchOp : Model_Op<"dispatch", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "ops that become one kernel; uses values from above";
  let description = [{
    Groups ops into one kernel, and no more: the region's ops mean what they mean outside.

    Constraints:
    * (C1) the yielded values have the result types.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>
    %y = model.dispatch -> tensor<?x64xf32, #model.rows<tokens>> {
      %s = model.silu %x : tensor<?x64xf32, #model.rows<tokens>>
      model.yield %s : tensor<?x64xf32, #model.rows<tokens>>
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "(`->` type($results)^)? attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Model_YieldOp : Model_Op<"yield", [Pure, HasParent<"DispatchOp">, ReturnLike, Terminator]> {
  let summary = "the results of a dispatch";
  let description = [{
    Ends the region of a dispatch and hands its operands out.

    ```mlir
    // inside model.dispatch
    // %y: tensor<?x64xf32, #model.rows<tokens>>
    model.yield %y : tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ (void)$_state; }]>];
}

#endif

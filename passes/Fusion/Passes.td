// Passes that decide which ops become one kernel. They stay within the model dialect; passes/Conversion/ModelToTile
// writes the kernels.
#ifndef MMC_FUSION_PASSES
#define MMC_FUSION_PASSES

include "mlir/Pass/PassBase.td"

def FormDispatches : Pass<"mmc-form-dispatches", "::mmc::model::ProgramOp"> {
  let summary = "wraps each compute op into a model.dispatch of its own";
  let description = [{
    Casts to a narrower type go with the op that produces their operand, casts to a wider type with each op that uses
    their result, so that no kernel only rounds. Weights, table rows, reshapes (split_heads, merge_heads), stacks and
    returns stay outside: they cost nothing.

    ```mlir
    %y = model.linear %x, %w : ...                     // before
    %b = arith.truncf %y : ... to ...

    %b = model.dispatch -> ... {                       // after
      %y = model.linear %x, %w : ...
      %t = arith.truncf %y : ... to ...
      model.yield %t : ...
    }
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FuseEpilogue : Pass<"mmc-fuse-epilogue", "::mmc::model::ProgramOp"> {
  let summary = "moves elementwise consumers of a product into its dispatch";
  let description = [{
    silu, sigmoid, residual, arith.mulf and casts join the linear or grouped_linear that produces their operand, where
    nothing else uses the product and the shapes agree. Two dense products of the same rows that meet in such an
    epilogue, silu(gate) * up, become one dispatch.

    ```mlir
    %u = model.dispatch -> ... { model.linear }          // before
    %s = model.dispatch -> ... { model.silu %u }

    %s = model.dispatch -> ... { model.linear; model.silu }   // after
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FusePrologue : Pass<"mmc-fuse-prologue", "::mmc::model::ProgramOp"> {
  let summary = "moves row-wise producers of a norm into its dispatch";
  let description = [{
    A residual, an elementwise op, an embedding or a combine joins the rms_norm that follows it: the row is normalised
    while it is at hand. A value that is also used after the norm stays a result of the fused dispatch.

    ```mlir
    %y = model.dispatch -> ... { model.residual }        // before
    %n = model.dispatch -> ... { model.rms_norm %y }

    %n = model.dispatch -> ... { model.residual; model.rms_norm }   // after
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FuseMoEDispatch : Pass<"mmc-fuse-moe-dispatch", "::mmc::model::ProgramOp"> {
  let summary = "fuses the gather, the expert products and the combine of a mixture of experts";
  let description = [{
    gather_routes joins the grouped products that read it, gate and up products with their SwiGLU become one dispatch,
    and the residual joins the combine: three kernels instead of nine, and no buffer of gathered rows.

    ```mlir
    %g = model.dispatch -> ... { model.gather_routes %x, %source }            // before
    %a = model.dispatch -> ... { model.grouped_linear %g, %offsets, %w1; model.silu }
    %h = model.dispatch -> ... { model.grouped_linear %g, %offsets, %w3; arith.mulf %a }

    %h = model.dispatch -> ... {                                              // after
      model.gather_routes; model.grouped_linear; model.silu; model.grouped_linear; arith.mulf
    }
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def JoinProducts : Pass<"mmc-join-products", "::mmc::model::ProgramOp"> {
  let summary = "makes products of the same rows one product, their weights one below the other";
  let description = [{
    Queries, keys and values; or the projection of a recurrence and its output gate. A silu or sigmoid that alone reads
    a product goes with it. Results of different element types are stored in the narrowest: a rounding more. Products
    that meet in an elementwise op (silu(gate) * up) are left to fuse-epilogue, and products of odd widths stay
    as they are: 16 channels must divide each, 64 where there is an activation.

    ```mlir
    %a = model.dispatch -> ... { model.linear %x, %w1; model.silu }      // before
    %b = model.dispatch -> ... { model.linear %x, %w2; model.sigmoid }

    %w = model.concat %w1, %w2                                           // after
    %y = model.dispatch -> ... {
      model.linear %x, %w; model.slice; model.silu; model.slice; model.sigmoid; model.concat
    }
    %a = model.slice %y from 0
    %b = model.slice %y from 192
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FuseNormEpilogue : Pass<"mmc-fuse-norm-epilogue", "::mmc::model::ProgramOp"> {
  let summary = "moves elementwise consumers of a norm into its dispatch";
  let description = [{
    A product with a gate, or another elementwise op, joins the rms_norm whose result only it reads. It comes after the
    passes that move such ops into products, which are the better place.

    ```mlir
    %n = model.dispatch -> ... { model.rms_norm %o }             // before
    %y = model.dispatch -> ... { arith.mulf %gate, %n }

    %y = model.dispatch -> ... { model.rms_norm %o; arith.mulf }   // after
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FuseRouter : Pass<"mmc-fuse-router", "::mmc::model::ProgramOp"> {
  let summary = "moves the norm before a router into the router's dispatch";
  let description = [{
    The router normalises a token's row, stores it for the experts, and goes on with it.

    ```mlir
    %n = model.dispatch -> ... { model.rms_norm %x }                          // before
    %w, %e = model.dispatch -> ... { model.route %n, %gate }

    %n, %w, %e = model.dispatch -> ... { model.rms_norm %x; model.route }     // after
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

def FuseRopeAppend : Pass<"mmc-fuse-rope-append", "::mmc::model::ProgramOp"> {
  let summary = "moves the rotary embedding of queries and keys into the attention's dispatch";
  let description = [{
    The attention's dispatch becomes an append kernel and the attention kernels; with the rope inside it, the append
    kernel rotates the keys on their way to the cache, and the queries on the way.

    ```mlir
    %q1 = model.dispatch -> ... { model.rope %q }        // before
    %y, %k1, %v1 = model.dispatch -> ... { model.attention %q1, ... }

    %y, %k1, %v1 = model.dispatch -> ... { model.rope %q; model.attention }   // after
    ```
  }];
  let dependentDialects = ["::mmc::model::ModelDialect", "::mlir::arith::ArithDialect"];
}

#endif

// Passes that touch only the model dialect.
#ifndef MMC_MODEL_PASSES
#define MMC_MODEL_PASSES

include "mlir/Pass/PassBase.td"

def DecomposeExperts : Pass<"mmc-decompose-experts", "::mmc::model::ProgramOp"> {
  let summary = "writes a mixture of experts as permute, grouped products and combine";
  let description = [{
    Runs first, before AssignPrecision, so that every product of the mixture is an op of its own and gets its rounding
    points. The gather of the rows and the combine are ops too; FuseMoEDispatch may fuse them later.

    ```mlir
    %y = model.experts %x routed(%w, %e) through %w1, %w3, %w2
    // becomes
    %offsets, %source, %position = model.permute %e
    %r = model.gather_routes %x, %source
    %g = model.grouped_linear %r, %offsets, %w1
    %u = model.grouped_linear %r, %offsets, %w3
    %s = model.silu %g
    %h = arith.mulf %s, %u
    %d = model.grouped_linear %h, %offsets, %w2
    %y = model.combine %d, %w, %position
    ```
    Also sets the program's attribute `routes_per_token` to the largest top-k.
  }];
}

def RotateNorms : Pass<"mmc-rotate-norms", "::mmc::model::ProgramOp"> {
  let summary = "moves the norm at a layer's start to the end of the layer before it";
  let description = [{
    Runs between DecomposeExperts and AssignPrecision. Where a layer uses its input only through a norm (post-norm
    models), the layer before it returns the rows normalised: there the norm joins the sum over the experts and costs no
    launch. The embedding is normalised with the gain of layer 0; the last layer ends with the norm of the output rows.
    Every kind must begin with the same norm, and it must agree with the last one in epsilon and the gain's type; else
    the program stays as it is.

    ```mlir
    %n = model.rms_norm %x, %input_layernorm[%layer]        // before: @layer(%x)
    ...
    model.return %y
    %o = model.rms_norm (model.select_rows %y), %norm       // before: @main, after the stack

    ...                                                     // after: @layer(%n)
    %g = model.weight "layers.{layer}.input_layernorm.weight"[%layer] next_else "norm.weight"
    %m = model.rms_norm %y, %g
    model.return %m
    %o = model.select_rows %y                               // after: @main
    ```
  }];
}

def AssignPrecision : Pass<"mmc-assign-precision", "::mmc::model::ProgramOp"> {
  let summary = "writes every rounding point of a program as a cast, and the dtypes in which weights are read";
  let description = [{
    Runs after DecomposeExperts. With dtype = float32 weights are read as f32 and nothing is rounded. With
    dtype = bfloat16 (specification 7):

    * matrices are read as bf16, but the router's gate as f32; gains keep the checkpoint's dtype;
    * a value that some structured op consumes (a product, norm, attention, recurrence, rope, router, gather, combine,
      or the end of a layer) is rounded to bf16 once, where it is made, and all its consumers read the rounded value,
      elementwise ones through arith.extf;
    * a norm reads the unrounded value of an elementwise op, whose kernel it joins;
    * a norm reads a sum as it was formed, without a rounding between them: both end up in one kernel;
    * values between elementwise ops, decay rates, write gates, router scores, recurrent state, softmax, accumulators
      and logits stay f32; KV caches are bf16.

    ```mlir
    %q = model.linear %x, %w : f32        %q = model.linear %x, %w : bf16, bf16 -> f32
    %u = model.silu %q                    %u = model.silu %q
    %y = model.linear %u, %v       =>     %b = arith.truncf %u : f32 to bf16
                                          %y = model.linear %b, %v
    ```
  }];
  let options = [Option<"dtype", "dtype", "std::string", "\"float32\"", "activation type: float32 or bfloat16">];
}

#endif

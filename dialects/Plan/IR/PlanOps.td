// Ops of the plan dialect.
#ifndef MMC_PLAN_OPS
#define MMC_PLAN_OPS

include "dialects/Plan/IR/PlanDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Plan_Item<string mnemonic, list<Trait> traits = []>
    : Plan_Op<mnemonic, !listconcat([Symbol, HasParent<"ModuleOp">], traits)>;

def Plan_ModuleOp : Plan_Op<"module", [Symbol, SymbolTable, NoTerminator, IsolatedFromAbove, SingleBlock]> {
  let summary = "a whole plan";
  let description = [{
    Holds everything that an executable model needs but the weights' data. Attributes of the dictionary `facts` are the
    scalar fields of the schema's Plan table, by their names there.

    Constraints:
    * (C1) there is exactly one program @body and one @head.
    * (C2) every buffer has an offset in every entry point.

    ```mlir
    plan.module @smallest {max_num_seqs = 2 : i64} {
      plan.program @body {
      }
      plan.program @head {
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DictionaryAttr:$facts);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $facts attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Plan_WeightOp : Plan_Item<"weight"> {
  let summary = "a weight as kernels read it";
  let description = [{
    Names a checkpoint tensor and the layout that the loader gives it. `type` is one layer's tensor in the layout's
    element type, with the experts in dimension 0 where the name has {expert}. `panels` = [n, k, pad], or absent for
    row-major. `layers` lists the layers that have it. `above` names the tensors that lie below the first, in order,
    and `heights` says how many rows each of all of them has. With `next_else` a layer has the tensor of the layer that
    follows, the last one the tensor called so.

    Constraints:
    * (C1) `layers` is there exactly where the name has {layer}; so have the names in `above`.
    * (C2) `panels` has three numbers.
    * (C3) the rank is at least 1, and 2 where the name has {expert}.
    * (C4) `above` is there exactly where `heights` is, which has a positive number more; they sum up to dimension 0,
      and no name has {expert}.
    * (C5) with `next_else` there is one name, with {layer} and without {expert}; `next_else` has neither.

    ```mlir
    // inside plan.module
    plan.weight @norm "layers.{layer}.norm.weight" : tensor<64xbf16> layers [0, 1] next_else "norm.weight"
    plan.weight @qkv "layers.{layer}.qkv.weight" : tensor<96x64xbf16> panels [16, 2, 64] layers [0, 1]
    plan.weight @q "q.weight" : tensor<96x64xbf16> above ["k.weight", "v.weight"] heights [64, 16, 16]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$source, TypeAttrOf<AnyStaticShapeTensor>:$type,
                       OptionalAttr<DenseI64ArrayAttr>:$panels, OptionalAttr<DenseI64ArrayAttr>:$layers,
                       OptionalAttr<StrArrayAttr>:$above, OptionalAttr<DenseI64ArrayAttr>:$heights,
                       OptionalAttr<StrAttr>:$next_else);
  let assemblyFormat = [{
    $sym_name $source `:` $type (`panels` $panels^)? (`layers` $layers^)? (`above` $above^)? (`heights` $heights^)?
    (`next_else` $next_else^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Plan_ConstantOp : Plan_Item<"constant"> {
  let summary = "a table that the compiler computed";
  let description = [{
    Holds data that is part of the plan. With `by_layer`, dimension 0 is the layer. `type` has the element type that
    kernels read; `value` may be wider.

    ```mlir
    // inside plan.module
    plan.constant @alpha : tensor<2xf32> by_layer = dense<[1.0, 2.0]> : tensor<2xf64>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, AnyAttr:$value, TypeAttrOf<AnyStaticShapeTensor>:$type,
                       UnitAttr:$by_layer);
  let assemblyFormat = "$sym_name `:` $type (`by_layer` $by_layer^)? `=` $value attr-dict";
}

def Plan_PoolOp : Plan_Item<"pool"> {
  let summary = "memory that outlives a step: slots of recurrent state, or pages of a KV cache";
  let description = [{
    Names memory that the runtime keeps between steps and divides among sequences: for each of `layers` layers, slots or
    pages of one `unit`.

    ```mlir
    // inside plan.module
    plan.pool @keys pages of tensor<64x2x32xf32> layers 1
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_PoolKindAttr:$kind, TypeAttrOf<AnyStaticShapeTensor>:$unit,
                       I64Attr:$layers);
  let assemblyFormat = "$sym_name $kind `of` $unit `layers` $layers attr-dict";
}

def Plan_BufferOp : Plan_Item<"buffer"> {
  let summary = "a temporary of a step, sized by the step's counts";
  let description = [{
    Names memory that lives within a step. The size is the row's bytes times `per` times a count, or fixed.

    Constraints:
    * (C1) `rows` is tokens, outputs or sequences.
    * (C2) dimension 0 is dynamic exactly where `rows` is given.

    ```mlir
    // inside plan.module
    plan.buffer @routed : tensor<?x64xf32> rows "tokens" per 2
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, OptionalAttr<StrAttr>:$rows,
                       DefaultValuedAttr<I64Attr, "1">:$rows_per);
  let assemblyFormat = "$sym_name `:` $type (`rows` $rows^)? (`per` $rows_per^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_WorkListOp : Plan_Item<"work_list"> {
  let summary = "a list of work records that the runtime makes once per step";
  let description = [{
    Lists the step's sequences that pass the filter: one record each, or, with `tile_rows` > 0, one per tile of at most
    `tile_rows` rows.

    ```mlir
    // inside plan.module
    plan.work_list @prefill prefill tile 32
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_WorkFilterAttr:$filter, I64Attr:$tile_rows);
  let assemblyFormat = "$sym_name $filter `tile` $tile_rows attr-dict";
}

def Plan_ExecutableOp : Plan_Item<"executable", [SymbolTable, NoTerminator, SingleBlock, IsolatedFromAbove]> {
  let summary = "the kernels of one target, as tile kernels until translation";
  let description = [{
    Holds the kernels that launches name as @executable::@kernel; translation makes them one object for `target`.

    ```mlir
    // inside plan.module
    plan.executable @cpu for "cpu" {
      tile.kernel @nothing(%x: !tile.view<?x64xf32> {tile.access = "read"}) domain(%r in #tile.extent<tokens>) {
        tile.return
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$target);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `for` $target attr-dict-with-keyword $body";
}

def Plan_ProgramOp : Plan_Item<"program", [NoTerminator, SingleBlock, IsolatedFromAbove]> {
  let summary = "commands in order: a layer kind, @body or @head";
  let description = [{
    Lists commands, launches and stacks, that run one after another. A step runs @body, then @head for the rows whose
    logits are wanted; a stack runs the other programs, one per layer kind.

    ```mlir
    // inside plan.module
    plan.program @layer {
      plan.launch @cpu::@norm [#plan.bind<token_count>] domain [#plan.extent<tokens>]
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Plan_LaunchOp : Plan_Op<"launch", [HasParent<"ProgramOp">]> {
  let summary = "runs a kernel over its domain with an argument record";
  let description = [{
    Runs the kernel at every point of the domain; binding i says what the i-th word of the argument record is.

    Constraints:
    * (C1) bindings are #plan.bind.
    * (C2) a binding of a buffer, weight, constant, pool or work list names one of the plan.
    * (C3) the domain is of #plan.extent, and a work extent names a work list.
    * (C4) the grain, points that a thread takes at a time, is at least 1.
    * (C5) the branch is 0, 1 or 2. A launch of branch 0 is ordered with all others; others may run at the same time as
      those of another branch next to them.

    ```mlir
    // inside plan.program
    plan.buffer @x : tensor<?x64xf32> rows "tokens"
    plan.work_list @prefill prefill tile 32
    plan.launch @cpu::@scan [#plan.bind<buffer, @x, written>, #plan.bind<work_list, @prefill>]
        domain [#plan.extent<work, @prefill>, #plan.extent<fixed, 4>] grain 2
    ```
  }];
  let arguments = (ins SymbolRefAttr:$kernel, ArrayAttr:$bindings, ArrayAttr:$domain,
                       DefaultValuedAttr<I64Attr, "1">:$grain, DefaultValuedAttr<I64Attr, "0">:$branch);
  let assemblyFormat = "$kernel $bindings `domain` $domain (`grain` $grain^)? (`branch` $branch^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_StackOp : Plan_Op<"stack", [HasParent<"ProgramOp">]> {
  let summary = "runs layers 0 .. n-1, each by the program of its kind";
  let description = [{
    Runs the layers in order: layer i executes the program at index pattern[i] of `programs`.

    Constraints:
    * (C1) `programs` are programs of the plan.
    * (C2) every entry of the pattern is an index of `programs`.

    ```mlir
    // inside plan.program
    plan.program @lightning {
    }
    plan.program @softmax {
    }
    plan.stack [@lightning, @softmax] [0, 0, 0, 1]
    ```
  }];
  let arguments = (ins ArrayAttr:$programs, DenseI64ArrayAttr:$pattern);
  let assemblyFormat = "$programs $pattern attr-dict";
  let hasVerifier = 1;
}

def Plan_EntryOp : Plan_Op<"entry", [HasParent<"ModuleOp">]> {
  let summary = "a shape class: upper bounds of a step, and the arena laid out for them";
  let description = [{
    Says how much memory a step within these bounds takes, and where in it each buffer lies: one offset per buffer, in
    the order of the buffers.

    Constraints:
    * (C1) offsets are multiples of 64 bytes.

    ```mlir
    // inside plan.module
    plan.buffer @x : tensor<?x64xf32> rows "tokens"
    plan.buffer @y : tensor<?x64xf32> rows "tokens"
    plan.entry tokens 1 sequences 1 context 128 outputs 1 arena 512 offsets [0, 256]
    ```
  }];
  let arguments = (ins I64Attr:$tokens, I64Attr:$sequences, I64Attr:$context, I64Attr:$outputs, I64Attr:$arena,
                       DenseI64ArrayAttr:$offsets);
  let assemblyFormat = [{
    `tokens` $tokens `sequences` $sequences `context` $context `outputs` $outputs `arena` $arena
    `offsets` $offsets attr-dict
  }];
  let hasVerifier = 1;
}

#endif

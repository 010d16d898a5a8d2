// Structure ops of the model dialect; the mathematics is in ModelMathOps.td, the ops that passes introduce in
// ModelDispatchOps.td.
#ifndef MMC_MODEL_OPS
#define MMC_MODEL_OPS

include "dialects/Model/IR/ModelDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Model_ProgramOp : Model_Op<"program", [Symbol, SymbolTable, NoTerminator, IsolatedFromAbove, SingleBlock]> {
  let summary = "a model: its tables, its layer kinds and its entry point @main";
  let description = [{
    Holds a whole model. The entry point is
    `@main(%ids: tensor<?xi32, tokens>, %batch: !model.batch, states...) -> (tensor<?xVxf32, outputs>, states...)`:
    it takes the state of every layer, stacked by kind, and returns it as the step leaves it.
    Optional attributes: `vocabulary` (i64), the number of ids; `max_position` (i64), the longest sequence;
    `stop_tokens` (array of i32), ids that end a text.

    Constraints:
    * (C1) where there is a function @main, it has this signature: the states it returns have the types of those it
      takes, in order.
    * (C2) a value with a #model.state or #model.kv encoding has exactly one consumer, snapshots not counted.
    * (C3) a snapshot precedes the consumer of the state that it copies, in the same block.
    * (C4) `vocabulary` is the number of columns of the logits that @main returns, and at least 1.
    * (C5) where @main embeds ids by a table, the table has `vocabulary` rows, or where that is absent, at least as many
      as the logits have columns.
    * (C6) `max_position` is at least 1.
    * (C7) `stop_tokens` are ids: from 0 to one less than the vocabulary.

    ```mlir
    model.program @empty {
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Model_TableOp : Model_Op<"table", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "data that varies by layer: one row per layer in dimension 0";
  let description = [{
    Holds one value per layer: a dense literal or a formula (#model.lightning_rates), which a reader evaluates in
    float64 (`evaluateTable`).

    Constraints:
    * (C1) `type` has at least one dimension and float elements.
    * (C2) a dense `value` has the table's type.
    * (C3) #model.lightning_rates has the table's layers and heads.
    * (C4) `value` is one of these two.

    ```mlir
    // inside model.program
    model.table @rates : tensor<8x4xf32> = #model.lightning_rates<layers = 8, heads = 4, form = original>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, AnyAttr:$value, TypeAttrOf<AnyStaticShapeTensor>:$type);
  let assemblyFormat = "$sym_name `:` $type `=` $value attr-dict";
  let hasVerifier = 1;
}

def Model_FuncOp : Model_Op<"func", [FunctionOpInterface, IsolatedFromAbove, Symbol,
                                     DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a layer kind (called by a stack) or the entry point";
  let description = [{
    A function of row tensors, the batch, a layer index and states; a stack says what a layer kind takes and returns,
    the program what @main does.

    ```mlir
    model.func @identity(%x: tensor<?x64xf32, #model.rows<tokens>>, %batch: !model.batch, %layer: index)
        -> tensor<?x64xf32, #model.rows<tokens>> {
      model.return %x : tensor<?x64xf32, #model.rows<tokens>>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Model_ReturnOp : Model_Op<"return", [Pure, HasParent<"FuncOp">, ReturnLike, Terminator]> {
  let summary = "ends a function";
  let description = [{
    Hands its operands out as the results of the function.

    Constraints:
    * (C1) the operands have the function's result types.

    ```mlir
    // inside model.func
    // %x: tensor<?x64xf32, #model.rows<tokens>>
    model.return %x : tensor<?x64xf32, #model.rows<tokens>>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let hasVerifier = 1;
}

def Model_StackOp : Model_Op<"stack", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "applies layers in order: layer l is a call of the function named by entry l of the pattern";
  let description = [{
    Calls the layers one after another, each with its own state. The pattern is a list of symbols or of
    [count, list...]: `[[10, [7, @lightning], @softmax]]` is ten times (seven lightning, one softmax). A layer function
    takes (%x, %batch, %layer, its states...) and returns (%x, its states...). `states` lists, kind after kind in order
    of first appearance, the states of that kind; each has a leading dimension of the number of layers of the kind, and
    layer ordinal i uses row i.

    Constraints:
    * (C1) `pattern` is not empty, consists of symbols and [count, entries...] with count >= 1, and names at most 65536
      layers.
    * (C2) every kind names a model.func of the program.
    * (C3) a kind takes (x, batch, index, states...) and returns (x, states...), with the types of `x` and of its states
      unchanged.
    * (C4) `states` are those of the kinds in order of first appearance, each with a leading dimension of the kind's
      number of layers.
    * (C5) the results have the types of `x` and `states`.
    * (C6) a table that a kind reads by its layer index has a row for every layer.

    ```mlir
    // %x: tensor<?x64xf32, #model.rows<tokens>>, %batch: !model.batch, %s0: tensor<7x4x32x32xf32, #model.state>
    model.func @lightning(%x: tensor<?x64xf32, #model.rows<tokens>>, %batch: !model.batch, %layer: index,
                          %s: tensor<4x32x32xf32, #model.state>)
        -> (tensor<?x64xf32, #model.rows<tokens>>, tensor<4x32x32xf32, #model.state>) {
      model.return %x, %s : tensor<?x64xf32, #model.rows<tokens>>, tensor<4x32x32xf32, #model.state>
    }
    %y, %s1 = model.stack %x, %batch states(%s0) [[7, @lightning]]
        : (tensor<?x64xf32, #model.rows<tokens>>, !model.batch, tensor<7x4x32x32xf32, #model.state>)
        -> (tensor<?x64xf32, #model.rows<tokens>>, tensor<7x4x32x32xf32, #model.state>)
    ```
  }];
  let arguments = (ins Model_Rows:$x, Model_BatchType:$batch, Variadic<Model_AnyState>:$states, ArrayAttr:$pattern);
  let results = (outs Model_Rows:$y, Variadic<Model_AnyState>:$new_states);
  let assemblyFormat = [{
    $x `,` $batch (`states` `(` $states^ `)`)? $pattern attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The function name of every layer, the pattern expanded.
    ::llvm::SmallVector<::mlir::FlatSymbolRefAttr> expandPattern();
    /// The distinct kinds in order of first appearance.
    ::llvm::SmallVector<::mlir::FlatSymbolRefAttr> getKinds();
  }];
}

def Model_WeightOp : Model_Op<"weight", [Pure, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "a checkpoint tensor, by name";
  let description = [{
    Names a tensor of the checkpoint as a value. `{layer}` in the name is replaced by the layer index, `{expert}` by 0
    .. E-1, whose tensors are stacked in a new dimension 0. The result's element type is the one that kernels read; the
    loader converts. With `next_else` it is the tensor of the layer that follows, and the one called `next_else` where
    none follows: so the last op of a layer can be the first of the next (mmc-rotate-norms).

    Constraints:
    * (C1) `name` is not empty.
    * (C2) `layer` is present if and only if `name` contains `{layer}`.
    * (C3) with `{expert}` the result has at least two dimensions.
    * (C4) every dimension of the result is positive.
    * (C5) with `next_else` the name contains `{layer}` and no `{expert}`, and `next_else` neither.

    ```mlir
    // %layer: index
    %w = model.weight "model.layers.{layer}.self_attn.qkv_proj.weight"[%layer] : tensor<384x64xbf16>
    %n = model.weight "model.layers.{layer}.input_layernorm.weight"[%layer] next_else "model.norm.weight"
        : tensor<64xbf16>
    ```
  }];
  let arguments = (ins StrAttr:$name, Optional<Index>:$layer, OptionalAttr<StrAttr>:$next_else);
  let results = (outs Model_Parameter:$result);
  let assemblyFormat = "$name (`[` $layer^ `]`)? (`next_else` $next_else^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::llvm::StringRef":$name, "::mlir::Value":$layer)>];
  let extraClassDeclaration = [{
    /// The name of the tensor that a layer reads, `{expert}` left open; `layer` is ignored where the name has none.
    std::string getTensorName(int64_t layer);
  }];
}

def Model_RowOp : Model_Op<"row", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                   DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "a layer's row of a table: a scalar for a rank-1 table, else a tensor";
  let description = [{
    Reads the data of one layer.

    Constraints:
    * (C1) `table` names a model.table of the program.
    * (C2) the result is the table's type without dimension 0.

    ```mlir
    // inside model.program
    // %layer: index
    model.table @rates : tensor<8x4xf32> = #model.lightning_rates<layers = 8, heads = 4, form = original>
    %r = model.row @rates[%layer] : tensor<4xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$table, Index:$layer);
  let results = (outs AnyTypeOf<[AnyFloat, AnyStaticShapeTensor]>:$result);
  let assemblyFormat = "$table `[` $layer `]` attr-dict `:` type($result)";
}

def Model_SnapshotOp : Model_Op<"snapshot", [Pure, SameOperandsAndResultType]> {
  let summary = "a copy of a state, the only way to use a state twice";
  let description = [{
    Reads the state before its consumer changes it (model.program C2, C3); the copy is a state of its own with its own
    single consumer.

    ```mlir
    // %state: tensor<4x32x32xf32, #model.state>
    %copy = model.snapshot %state : tensor<4x32x32xf32, #model.state>
    ```
  }];
  let arguments = (ins Model_AnyState:$state);
  let results = (outs Model_AnyState:$copy);
  let assemblyFormat = "$state attr-dict `:` type($state)";
}

include "dialects/Model/IR/ModelMathOps.td"
include "dialects/Model/IR/ModelDispatchOps.td"

#endif

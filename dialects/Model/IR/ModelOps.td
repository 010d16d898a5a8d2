// Structure ops of the model dialect; the mathematics is in ModelMathOps.td, the ops that passes introduce in ModelDispatchOps.td.
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
    Optional attributes: `vocabulary` (i64), `max_position` (i64), `stop_tokens` (array of i32).
    `@main(%ids: tensor<?xi32, tokens>, %batch: !model.batch) -> tensor<?xVxf32, outputs>` is the entry point.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Model_TableOp : Model_Op<"table", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "data that varies by layer: one row per layer in dimension 0";
  let arguments = (ins SymbolNameAttr:$sym_name, AnyAttr:$value, TypeAttrOf<AnyStaticShapeTensor>:$type);
  let assemblyFormat = "$sym_name `:` $type `=` $value attr-dict";
  let hasVerifier = 1;
}

def Model_FuncOp : Model_Op<"func", [FunctionOpInterface, IsolatedFromAbove, Symbol]> {
  let summary = "a layer kind (called by a stack) or the entry point";
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
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
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let hasVerifier = 1;
}

def Model_StackOp : Model_Op<"stack", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "applies layers in order: layer l is a call of the function named by entry l of the pattern";
  let description = [{
    The pattern is a list of symbols or of [count, list...]: `[[10, [7, @lightning], @softmax]]` is ten times (seven lightning, one softmax).
    A layer function takes (%x, %batch, %layer, its states...) and returns (%x, its states...). `states` lists, kind after kind in order of first
    appearance, the states of that kind; each has a leading dimension of the number of layers of the kind, and layer ordinal i uses row i.
  }];
  let arguments = (ins AnyTensor:$x, Model_BatchType:$batch, Variadic<AnyTensor>:$states, ArrayAttr:$pattern);
  let results = (outs AnyTensor:$y, Variadic<AnyTensor>:$new_states);
  let assemblyFormat = "$x `,` $batch (`states` `(` $states^ `)`)? $pattern attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The function name of every layer, the pattern expanded.
    ::llvm::SmallVector<::mlir::FlatSymbolRefAttr> expandPattern();
    /// The distinct kinds in order of first appearance.
    ::llvm::SmallVector<::mlir::FlatSymbolRefAttr> getKinds();
  }];
}

def Model_WeightOp : Model_Op<"weight", [Pure]> {
  let summary = "a checkpoint tensor, by name";
  let description = [{
    `{layer}` in the name is replaced by the layer index, `{expert}` by 0 .. E-1, whose tensors are stacked in a new dimension 0.
    The result's element type is the one that kernels read; the loader converts.
  }];
  let arguments = (ins StrAttr:$name, Optional<Index>:$layer);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$name (`[` $layer^ `]`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Model_RowOp : Model_Op<"row", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a layer's row of a table: a scalar for a rank-1 table, else a tensor";
  let arguments = (ins FlatSymbolRefAttr:$table, Index:$layer);
  let results = (outs AnyTypeOf<[AnyFloat, AnyStaticShapeTensor]>:$result);
  let assemblyFormat = "$table `[` $layer `]` attr-dict `:` type($result)";
}

def Model_SnapshotOp : Model_Op<"snapshot", [Pure, SameOperandsAndResultType]> {
  let summary = "a copy of a state, the only way to use a state twice";
  let arguments = (ins AnyTensor:$state);
  let results = (outs AnyTensor:$copy);
  let assemblyFormat = "$state attr-dict `:` type($state)";
  let hasVerifier = 1;
}

include "dialects/Model/IR/ModelMathOps.td"
include "dialects/Model/IR/ModelDispatchOps.td"

#endif

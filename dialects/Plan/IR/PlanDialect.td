// The plan dialect: where and when. A textual form of what runtime/schema/plan.fbs stores. See dialects/Plan/README.md.
#ifndef MMC_PLAN_DIALECT
#define MMC_PLAN_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::mmc::planir";
  let summary = "Memory, order and bindings of an executable model";
  let description = [{
    A plan module lists weights, constants, pools, buffers and work lists, the programs that launch kernels on them, and
    the entry points. Nothing in it needs a compiler to execute, except the kernels themselves, which are tile kernels
    until translation makes them an object.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class Plan_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Plan_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

/// The same values as mmc::plan::ArgumentKind of the schema.
def Plan_BindingKind : I32EnumAttr<"BindingKind", "what an argument word is bound to", [
    I32EnumAttrCase<"buffer", 0>, I32EnumAttrCase<"weight", 1>, I32EnumAttrCase<"constant", 2>,
    I32EnumAttrCase<"pool", 3>, I32EnumAttrCase<"page_table", 4>, I32EnumAttrCase<"token_ids", 5>,
    I32EnumAttrCase<"row_positions", 6>, I32EnumAttrCase<"row_slots", 7>, I32EnumAttrCase<"output_rows", 8>,
    I32EnumAttrCase<"work_list", 9>, I32EnumAttrCase<"logits", 10>, I32EnumAttrCase<"token_count", 11>,
    I32EnumAttrCase<"output_count", 12>, I32EnumAttrCase<"sequence_count", 13>, I32EnumAttrCase<"work_count", 14>,
    I32EnumAttrCase<"immediate", 15>
  ]> { let cppNamespace = "::mmc::planir"; let genSpecializedAttr = 0; }

def Plan_PoolKind : I32EnumAttr<"PoolKind", "how a pool is divided", [
    I32EnumAttrCase<"slots", 0>, I32EnumAttrCase<"pages", 1>
  ]> { let cppNamespace = "::mmc::planir"; let genSpecializedAttr = 0; }
def Plan_PoolKindAttr : EnumAttr<Plan_Dialect, Plan_PoolKind, "pool_kind">;

def Plan_ExtentKind : I32EnumAttr<"ExtentKind", "what bounds a work dimension", [
    I32EnumAttrCase<"fixed", 0>, I32EnumAttrCase<"tokens", 1>, I32EnumAttrCase<"outputs", 2>,
    I32EnumAttrCase<"sequences", 3>, I32EnumAttrCase<"work", 4>
  ]> { let cppNamespace = "::mmc::planir"; let genSpecializedAttr = 0; }

def Plan_WorkFilter : I32EnumAttr<"WorkFilter", "which sequences a work list has", [
    I32EnumAttrCase<"all", 0>, I32EnumAttrCase<"prefill", 1>, I32EnumAttrCase<"decode", 2>
  ]> { let cppNamespace = "::mmc::planir"; let genSpecializedAttr = 0; }
def Plan_WorkFilterAttr : EnumAttr<Plan_Dialect, Plan_WorkFilter, "work_filter">;

def Plan_BindingAttr : Plan_Attr<"Binding", "bind"> {
  let summary = "one word of a kernel's argument record: `#plan.bind<buffer, @x, written>`";
  let parameters = (ins EnumParameter<Plan_BindingKind>:$kind, OptionalParameter<"::mlir::FlatSymbolRefAttr">:$symbol,
                        DefaultValuedParameter<"int64_t", "0">:$offset,
                        DefaultValuedParameter<"bool", "false">:$written);
  let hasCustomAssemblyFormat = 1;
}

def Plan_ExtentAttr : Plan_Attr<"Extent", "extent"> {
  let summary = "one dimension of a work domain: a fixed number, a count of the step, or the length of a work list";
  let parameters = (ins EnumParameter<Plan_ExtentKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$value,
                        OptionalParameter<"::mlir::FlatSymbolRefAttr">:$list);
  let hasCustomAssemblyFormat = 1;
}

#endif

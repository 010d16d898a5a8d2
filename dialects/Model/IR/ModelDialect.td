// The model dialect: a model's mathematics on value tensors. See dialects/Model/README.md for what is not in it and
// why.
#ifndef MMC_MODEL_DIALECT
#define MMC_MODEL_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Model_Dialect : Dialect {
  let name = "model";
  let cppNamespace = "::mmc::model";
  let summary = "The mathematics of a language model, and nothing else";
  let description = [{
    Activations are real numbers, spelled `f32`, in tensors whose leading dimension is a row space (`#model.rows`) of
    dynamic size. Precision, blocks, devices and memory are decided below this level.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

class Model_Type<string name, string mnem, list<Trait> traits = []> : TypeDef<Model_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Model_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Model_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Model_Op<string mnemonic, list<Trait> traits = []> : Op<Model_Dialect, mnemonic, traits>;

// ------------------------------------------------------------------------------------------------ enums

def Model_RowSpace : I32EnumAttr<"RowSpace", "what the rows of a tensor stand for", [
    I32EnumAttrCase<"tokens", 0>,    // the step's new tokens, packed
    I32EnumAttrCase<"routes", 1>,    // tokens times top-k, sorted by expert
    I32EnumAttrCase<"outputs", 2>,   // the rows whose logits are wanted
    I32EnumAttrCase<"sequences", 3>  // the step's sequences of one kind, as a work list has them
  ]> { let cppNamespace = "::mmc::model"; let genSpecializedAttr = 0; }

def Model_Update : I32EnumAttr<"Update", "how a token enters the state", [
    I32EnumAttrCase<"additive", 0>, I32EnumAttrCase<"delta", 1>
  ]> { let cppNamespace = "::mmc::model"; let genSpecializedAttr = 0; }

def Model_Decay : I32EnumAttr<"Decay", "what the decay of the state depends on", [
    I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"head", 1>, I32EnumAttrCase<"token", 2>, I32EnumAttrCase<"channel", 3>
  ]> { let cppNamespace = "::mmc::model"; let genSpecializedAttr = 0; }

def Model_SlopeForm : I32EnumAttr<"SlopeForm", "which slope and layer formulas give the decay rates", [
    I32EnumAttrCase<"original", 0>,  // power-of-two interpolation; 1 - l / (L - 1) + 1e-5
    I32EnumAttrCase<"native", 1>     // 2^(-8 (h + 1) / H) for every H; 1 - l / (L - 1 + 1e-5) + 1e-5
  ]> { let cppNamespace = "::mmc::model"; let genSpecializedAttr = 0; }

def Model_UpdateAttr : EnumAttr<Model_Dialect, Model_Update, "update">;
def Model_DecayAttr : EnumAttr<Model_Dialect, Model_Decay, "decay">;

// ------------------------------------------------------------------------------------------------ types and attributes

def Model_BatchType : Model_Type<"Batch", "batch"> {
  let summary = "the packing of a step: which rows belong to which sequence, at which positions";
}

def Model_RowsAttr : Model_Attr<"Rows", "rows"> {
  let summary = "encoding of a tensor whose dimension 0 is a row space";
  let parameters = (ins EnumParameter<Model_RowSpace>:$space);
  let assemblyFormat = "`<` $space `>`";
}

def Model_StateAttr : Model_Attr<"State", "state"> {
  let summary = "encoding of the recurrent state of one layer: one value per sequence, threaded through the step";
}

def Model_KVAttr : Model_Attr<"KV", "kv"> {
  let summary = "encoding of a layer's key or value cache, tensor<?xHxD>: the rows are a sequence's positions so far";
}

def Model_LightningRatesAttr : Model_Attr<"LightningRates", "lightning_rates"> {
  let summary = "the decay rates s[l, h] of lightning attention as a formula";
  let description = [{
    The slope of the head times the factor of the layer (specification 2.4).
  }];
  let parameters = (ins "int64_t":$layers, "int64_t":$heads, EnumParameter<Model_SlopeForm>:$form);
  let assemblyFormat = "`<` `layers` `=` $layers `,` `heads` `=` $heads `,` `form` `=` $form `>`";
}

// ------------------------------------------------------------------------------------------------ operand constraints

class Model_Tensor<string predicate, string what>
    : Type<CPred<"::mmc::model::" # predicate # "($_self)">, what, "::mlir::RankedTensorType">;

def Model_Rows
    : Model_Tensor<"isFloatRows", "row tensor of floats (dynamic dimension 0, static others, #model.rows encoding)">;
def Model_IntRows : Model_Tensor<"isIntRows", "row tensor of i32">;
def Model_Parameter : Model_Tensor<"isParameter", "static tensor of floats without encoding">;
def Model_Offsets : Model_Tensor<"isOffsets", "static rank-1 tensor of i32 without encoding">;
def Model_RecurrentState : Model_Tensor<"isRecurrentState", "static tensor of floats with a #model.state encoding">;
def Model_Cache : Model_Tensor<"isCache", "tensor of floats with a #model.kv encoding">;
def Model_AnyState : Model_Tensor<"isAnyState", "tensor with a #model.state or #model.kv encoding">;

#endif

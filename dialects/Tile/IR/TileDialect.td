// The tile dialect: kernels as bodies over a work domain, on immutable tile values and views of memory. See
// dialects/Tile/README.md.
#ifndef MMC_TILE_DIALECT
#define MMC_TILE_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::mmc::tile";
  let summary = "Blocks, values and views: what a kernel computes, not where";
  let description = [{
    Tiles are builtin tensors of static shape, so arith and math work on them elementwise; scf.for carries tiles as loop
    values. A program never names a memory space, a lane, a warp, a barrier, a pipeline stage, a launch order or a float
    atomic.
  }];
  let extraClassDeclaration = [{
    void registerTypes();
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];
}

class Tile_Type<string name, string mnem, list<Trait> traits = []> : TypeDef<Tile_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Tile_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Tile_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

// ------------------------------------------------------------------------------------------------ enums

def Tile_ReduceKind : I32EnumAttr<"ReduceKind", "how a reduction combines", [
    I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"max", 1>
  ]> { let cppNamespace = "::mmc::tile"; let genSpecializedAttr = 0; }
def Tile_ReduceKindAttr : EnumAttr<Tile_Dialect, Tile_ReduceKind, "reduce_kind">;

/// What bounds one dimension of a work domain; `work` is the length of the work list that is kernel argument `value`.
def Tile_ExtentKind : I32EnumAttr<"ExtentKind", "what bounds a work dimension", [
    I32EnumAttrCase<"fixed", 0>, I32EnumAttrCase<"tokens", 1>, I32EnumAttrCase<"outputs", 2>,
    I32EnumAttrCase<"sequences", 3>, I32EnumAttrCase<"work", 4>
  ]> { let cppNamespace = "::mmc::tile"; let genSpecializedAttr = 0; }

def Tile_WorkFilter : I32EnumAttr<"WorkFilter", "which sequences a work list has", [
    I32EnumAttrCase<"all", 0>, I32EnumAttrCase<"prefill", 1>, I32EnumAttrCase<"decode", 2>
  ]> { let cppNamespace = "::mmc::tile"; let genSpecializedAttr = 0; }

/// Fields of the step record that kernels may read, and its counts.
def Tile_StepField : I32EnumAttr<"StepField", "a field of the step record", [
    I32EnumAttrCase<"row_positions", 0>, I32EnumAttrCase<"row_slots", 1>, I32EnumAttrCase<"output_rows", 2>,
    I32EnumAttrCase<"token_count", 3>, I32EnumAttrCase<"output_count", 4>, I32EnumAttrCase<"sequence_count", 5>
  ]> { let cppNamespace = "::mmc::tile"; let genSpecializedAttr = 0; }

// ------------------------------------------------------------------------------------------------ attributes

def Tile_StridedAttr : Tile_Attr<"Strided", "strided"> {
  let summary = "element (i, j, ...) of a view lies at offset + i * strides[0] + j * strides[1] + ..., in elements";
  let parameters = (ins ArrayRefParameter<"int64_t">:$strides, DefaultValuedParameter<"int64_t", "0">:$offset);
  let assemblyFormat = "`<` `[` $strides `]` (`,` `offset` `=` $offset^)? `>`";
}

def Tile_PanelsAttr : Tile_Attr<"Panels", "panels"> {
  let summary = "panels of n rows of the last two dimensions [N, K], k adjacent elements of a row together";
  let description = [{
    Element (r, c) of [N, K] at (((r / n) * ceil(K / k) + c / k) * n + r % n) * k + c % k; N is padded with zeros to a
    multiple of `pad` (of n where it is left out), K of k. Leading dimensions (experts) follow one another, each padded
    to a multiple of 64 bytes. The definition is runtime/src/Layout.h.
  }];
  let parameters = (ins "int64_t":$n, "int64_t":$k, DefaultValuedParameter<"int64_t", "0">:$pad);
  let assemblyFormat = "`<` struct(params) `>`";
  let builders = [AttrBuilder<(ins "int64_t":$n, "int64_t":$k), [{ return $_get($_ctxt, n, k, 0); }]>];
  let extraClassDeclaration = [{
    /// N is padded to a multiple of this.
    int64_t getRowMultiple() const { return getPad() ? getPad() : getN(); }
  }];
}

def Tile_PagedAttr : Tile_Attr<"Paged", "paged"> {
  let summary = "layout of a view [slot, position, head, channel] over pages";
  let description = [{
    A page has `page` positions and is found through a table of `table` pages per slot. Element (s, p, h, c) lies in
    page pages[s * table + p / page] at (p % page) * strides[0] + h * strides[1] + c * strides[2]; a page has
    page * heads * channels elements. As a kernel argument it is two words: the pool's pointer and the page table's
    pointer.
  }];
  let parameters = (ins "int64_t":$page, "int64_t":$table, ArrayRefParameter<"int64_t">:$strides);
  let assemblyFormat = "`<` `page` `=` $page `,` `table` `=` $table `,` `strides` `=` `[` $strides `]` `>`";
}

def Tile_ExtentAttr : Tile_Attr<"Extent", "extent"> {
  let summary = "one dimension of a work domain";
  let parameters = (ins EnumParameter<Tile_ExtentKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$value);
  let assemblyFormat = "`<` $kind (`,` $value^)? `>`";
}

def Tile_WorkAttr : Tile_Attr<"Work", "work"> {
  let summary = "which work list a ragged kernel argument is";
  let description = [{
    The list has one record per sequence, or one per tile of at most `tile_rows` rows.
  }];
  let parameters = (ins EnumParameter<Tile_WorkFilter>:$filter, DefaultValuedParameter<"int64_t", "0">:$tile_rows);
  let assemblyFormat = "`<` $filter (`,` $tile_rows^)? `>`";
}

def Tile_StepAttr : Tile_Attr<"Step", "step"> {
  let summary = "which field of the step record a kernel argument is";
  let parameters = (ins EnumParameter<Tile_StepField>:$field);
  let assemblyFormat = "`<` $field `>`";
}

// ------------------------------------------------------------------------------------------------ types

def Tile_ViewType : Tile_Type<"View", "view", [ShapedTypeInterface]> {
  let summary = "memory seen as an array, such as `!tile.view<?x64x128xf32>`";
  let description = [{
    With a layout: `!tile.view<?x64x128xf32, #tile.strided<[24576, 384, 1]>>`. Without one it is row-major and
    contiguous. A view of rank 0 is one element: `!tile.view<f32>`.

    * (C1) dimensions are positive; only dimension 0 (paged views: 0 and 1) may be dynamic;
    * (C2) elements are integers or floats of whole bytes;
    * (C3) the layout, if any, is `#tile.strided`, `#tile.panels` or `#tile.paged`;
    * (C4) strided: one stride per dimension; strides and offset are not negative;
    * (C5) panels: n and k are positive, the view has rank 2 or more and its last two dimensions are static;
    * (C6) paged: the view has rank 4; page and table are positive; there are three strides, and the last element of a
      page lies within the page's page * heads * channels elements.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        OptionalParameter<"::mlir::Attribute">:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool hasRank() const { return true; }
    ViewType cloneWith(std::optional<::llvm::ArrayRef<int64_t>> shape, ::mlir::Type elementType) const {
      return ViewType::get(getContext(), shape ? *shape : getShape(), elementType, getLayout());
    }
    /// Strides in elements of a strided or row-major view; empty for panels and paged views.
    ::llvm::SmallVector<int64_t> getStrides() const;
    int64_t getOffset() const;
  }];
}

def Tile_RaggedType : Tile_Type<"Ragged", "ragged"> {
  let summary = "a work list: records of (slot, first row, rows, position of the first row), int32 each";
}

#endif

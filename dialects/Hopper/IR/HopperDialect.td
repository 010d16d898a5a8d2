// The hopper dialect: a kernel as one block of threads executes it. See dialects/Hopper/README.md.
#ifndef MMC_HOPPER_DIALECT
#define MMC_HOPPER_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/OpBase.td"

def Hopper_Dialect : Dialect {
  let name = "hopper";
  let cppNamespace = "::mmc::hopper";
  let summary = "Operand spaces, layouts and synchronisation of one block of threads";
  let description = [{
    A kernel's tile values have become fragments (registers of all threads, under a layout that says which thread holds
    which element) and shared tiles; copies, waits and barriers are explicit. Each op is one call of the device library,
    or a loop over a fragment's registers.
  }];
  let extraClassDeclaration = [{
    void registerTypes();
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mmc::tile::TileDialect"
  ];
}

class Hopper_Type<string name, string mnem, list<Trait> traits = []> : TypeDef<Hopper_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Hopper_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Hopper_Dialect, name, traits> {
  let mnemonic = mnem;
}
class Hopper_Op<string mnemonic, list<Trait> traits = []> : Op<Hopper_Dialect, mnemonic, traits>;

// ------------------------------------------------------------------------------------------------ layouts

def Hopper_SpreadAttr : Hopper_Attr<"Spread", "spread"> {
  let summary = "elements in row-major order, `vector` neighbours per thread, then the next thread";
  let description = [{
    Slot s of thread t holds element ((s / vector) * threads + t) * vector + s % vector, where there is one.
  }];
  let parameters = (ins "int64_t":$vector);
  let assemblyFormat = "`<` $vector `>`";
}

def Hopper_AccumulatorAttr : Hopper_Attr<"Accumulator", "accumulator"> {
  let summary = "[M, N] as mma.sync m16n8 and wgmma m64 leave it, over a grid of warps";
  let description = [{
    Warp w has row group w % rows and column group w / rows; warps from rows * columns on hold nothing. A warp's rows
    are M / rows of the matrix, cut into 16s, its columns N / columns, cut into 8s, two at a time; in a 16 x 8 piece
    lane l holds rows l / 4 and l / 4 + 8, columns 2 (l % 4) and the next. Where each warp has 16 rows and `rows` is a
    multiple of 4, that is also how wgmma leaves 64 rows in each warpgroup.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` $rows `x` $columns `>`";
}

def Hopper_SliceAttr : Hopper_Attr<"Slice", "slice"> {
  let summary = "a row or column vector beside a fragment: what is left of its layout without dimension `dim`";
  let description = [{
    A thread holds the entries of the rows (dim = 1) or columns (dim = 0) that it has elements of; threads that share a
    row hold the same entry. Which rows these are depends on the size of the dimension that is gone for a spread parent
    only; for an accumulator `size` is left out.
  }];
  let parameters = (ins "int64_t":$dim, "::mlir::Attribute":$parent, DefaultValuedParameter<"int64_t", "0">:$size);
  let assemblyFormat = "`<` `dim` `=` $dim `,` $parent (`,` `size` `=` $size^)? `>`";
}

// ------------------------------------------------------------------------------------------------ types

def Hopper_FragmentType : Hopper_Type<"Fragment", "fragment"> {
  let summary = "a tile in the registers of a block's threads, under a layout";
  let description = [{
    Written `!hopper.fragment<64x128xf32, #hopper.accumulator<4 x 1>>`; the layout says which thread has which element.

    * (C1) dimensions are static and positive, elements f32, f64, bf16, i32 or i1;
    * (C2) the layout is `#hopper.spread`, `#hopper.accumulator` or `#hopper.slice`;
    * (C3) spread: rank 1 or more, vector divides the last dimension and is 1, 2, 4 or 8;
    * (C4) accumulator: rank 2, M a multiple of 16 rows, N of 16 columns;
    * (C5) slice: rank 1; dim is 0 or 1; the parent is spread, with a size, or an accumulator, without one, and the
      fragment that the vector and the size make is valid.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "::mlir::Attribute":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getNumElements() const;
    FragmentType withElement(::mlir::Type element) const { return get(getContext(), getShape(), element, getLayout()); }
    /// Whether this is the slice of `whole` without dimension `dim`, elements aside.
    bool isSliceOf(FragmentType whole, int64_t dim) const;
    /// The slice of this layout without dimension `dim` (of rank 2).
    FragmentType getSlice(int64_t dim, ::mlir::Type element) const;
  }];
}

def Hopper_SharedType : Hopper_Type<"Shared", "shared"> {
  let summary = "a tile in shared memory";
  let description = [{
    Written `!hopper.shared<64x64xbf16, swizzle = 128, stages = 3>`; a vector of rank 1 is a plain array. In a
    tile of rank 2 rows follow one another, each in pieces of 16 bytes. With a swizzle of s bytes the tile is cut into
    panels of s bytes per row, one after another, and piece p of row r of a panel lies at
    p ^ ((r * s / 128) % (s / 16)), so that eight rows of one column lie in different banks. Stages are copies of the
    tile, one after another.

    * (C1) rank 1 or 2, dimensions positive, elements f32, bf16 or i32;
    * (C2) swizzle is 0, 32, 64 or 128, and a row is a multiple of it; of rank 1 it is 0;
    * (C3) stages is positive;
    * (C4) of rank 2, a row is a multiple of 16 bytes, and the rows are a multiple of 8.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        DefaultValuedParameter<"int64_t", "0">:$swizzle,
                        DefaultValuedParameter<"int64_t", "1">:$stages);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of all stages.
    int64_t getBytes() const;
  }];
}

def Hopper_RingType : Hopper_Type<"Ring", "ring"> {
  let summary = "barriers between warps that fill stages of shared tiles and warps that read them";
  let description = [{
    Written `!hopper.ring<4>`: each of so many stages is empty or full. The tiles of a stage are others' affair; both
    sides go through the stages in the same order.

    * (C1) there are 2 stages or more.
  }];
  let parameters = (ins "int64_t":$stages);
  let assemblyFormat = "`<` $stages `>`";
  let genVerifyDecl = 1;
}

#endif

// Ops of the tile dialect: structure, memory, compute. Control flow and scalars are upstream scf, arith and math.
#ifndef MMC_TILE_OPS
#define MMC_TILE_OPS

include "dialects/Tile/IR/TileDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// ------------------------------------------------------------------------------------------------ structure

def Tile_KernelOp : Tile_Op<"kernel", [FunctionOpInterface, IsolatedFromAbove, Symbol,
                                       DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a body over a work domain of independent points";
  let description = [{
    Computes each point of its work domain by one run of its body. Arguments are views, work lists (`!tile.ragged` with
    attribute `tile.work`), and step fields (attribute `tile.step`; a count is of type index, the others are views of
    i32). Every view has the attribute `tile.access` = "read", "write" or "readwrite". The entry block has, after the
    arguments, one index per domain dimension. Points may run in any order and at the same time.

    * (C1) a kernel has no results;
    * (C2) an argument is a view, a work list, or a count; a work list has `tile.work`, a count (index) has
      `tile.step` = token_count, output_count or sequence_count;
    * (C3) a view that is a step field is a rank-1 view of i32 and is not written; any other view has `tile.access`;
    * (C4) the entry block has the arguments, then one index per work dimension, of which there is at least one;
    * (C5) a fixed extent is positive, a work extent names an argument that is a work list, the other extents have no
      value;
    * (C6) the body has only ops of arith, math, scf and tile, and neither kernels nor launches;
    * (C7) a view whose access is "read" is not stored to (one that is "write" may be read back after it was written);
    * (C8) grain is positive.

    ```mlir
    tile.kernel @scale(%x: !tile.view<?x64xf32> {tile.access = "read"},
                       %y: !tile.view<?x64xf32> {tile.access = "write"})
        domain(%r in #tile.extent<tokens>) grain 8 {
      %c0 = arith.constant 0 : index
      %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
      %w = arith.addf %v, %v : tensor<64xf32>
      tile.store %w, %y[%r, %c0] along [1] : tensor<64xf32>, !tile.view<?x64xf32>
      tile.return
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, ArrayAttr:$domain,
                       DefaultValuedAttr<I64Attr, "1">:$grain, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    unsigned getNumKernelArguments() { return getFunctionType().getNumInputs(); }
    /// Body check of FunctionOpInterface: the entry block has more arguments than the signature, so the op's own
    /// verifier does it.
    ::llvm::LogicalResult verifyBody() { return ::mlir::success(); }
    /// The entry block's index values of the work domain.
    ::mlir::MutableArrayRef<::mlir::BlockArgument> getPoints();
  }];
}

def Tile_ReturnOp : Tile_Op<"return", [Pure, HasParent<"KernelOp">, ReturnLike, Terminator]> {
  let summary = "ends a kernel";
  let description = [{
    Ends the computation of a point; a kernel's results are what it stored.

    ```mlir
    // inside tile.kernel
    tile.return
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_LaunchOp : Tile_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                       DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "runs a kernel over its whole domain";
  let description = [{
    Runs a kernel at every point of its domain, on the memory of tensors. The kernel's arguments that are no step fields
    and no work lists are bound, in order, to the operands and then to those results that are not tied. `tied[i]` is the
    operand whose memory result i continues (a state updated in place), or -1 for a new buffer. A launch reads its
    operands' memory, and writes that of tied ones.

    * (C1) `tied` has one entry per result, each -1 or an operand, none named twice;
    * (C2) a tied result has its operand's type;
    * (C3) the symbol is a kernel;
    * (C4) the kernel has one bound argument per operand and per result that is not tied.

    ```mlir
    // %x: tensor<?x4xf32>, %s: tensor<8x4xf32>
    tile.kernel @update(%x: !tile.view<?x4xf32> {tile.access = "read"},
                        %s: !tile.view<8x4xf32> {tile.access = "readwrite"},
                        %y: !tile.view<?x4xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
      tile.return
    }
    %s1, %y = tile.launch @update(%x, %s) tied [1, -1]
        : (tensor<?x4xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$operands, DenseI64ArrayAttr:$tied);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$kernel `(` $operands `)` `tied` $tied attr-dict `:` functional-type($operands, $results)";
  let hasVerifier = 1;
}

def Tile_PointOp : Tile_Op<"point", [Pure]> {
  let summary = "a record of a work list";
  let description = [{
    Reads one record of a work list: the state slot of the record's sequence, its first row among the step's tokens, how
    many rows, and the position of that first row in its sequence.

    ```mlir
    // inside tile.kernel
    // %work: !tile.ragged, %t: index
    %slot, %row, %rows, %position = tile.point %work[%t]
    ```
  }];
  let arguments = (ins Tile_RaggedType:$list, Index:$record);
  let results = (outs Index:$slot, Index:$row, Index:$rows, Index:$position);
  let assemblyFormat = "$list `[` $record `]` attr-dict";
}

// ------------------------------------------------------------------------------------------------ memory

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "reads a tile, or a scalar";
  let description = [{
    Reads a part of a view as a value. `indices` has one index per view dimension, where the tile starts; `along` lists
    the view dimensions that the tile's dimensions span, in order (empty: a scalar of the element type). With `limit`,
    only the first `limit` entries of tile dimension 0 are read; the rest is zero. Entries beyond a static dimension of
    the view are zero.

    * (C1) one index per view dimension;
    * (C2) `along` is strictly increasing, names dimensions of the view, and has one entry per dimension of the tile;
    * (C3) the tile has the view's element type and a static shape;
    * (C4) a limit needs a tile of rank 1 or more.

    ```mlir
    // inside tile.kernel
    // %x: !tile.view<?x64xf32>, %r: index, %c0: index, %m: index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xf32> -> tensor<48x64xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_ViewType, "memory", [MemRead]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along, Optional<Index>:$limit);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $view `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? attr-dict `:`
    qualified(type($view)) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$view, "::mlir::ValueRange":$indices,
                                  "::llvm::ArrayRef<int64_t>":$along), [{
      build($_builder, $_state, result, view, indices, along, ::mlir::Value());
    }]>];
  let hasVerifier = 1;
}

def Tile_GatherOp : Tile_Op<"gather", [AttrSizedOperandSegments]> {
  let summary = "reads a tile whose dimension 0 consists of given rows of a view";
  let description = [{
    Reads rows that lie anywhere in a view, along its dimension along[0], as one tile. `indices` has one index per view
    dimension; the one of dimension along[0] is added to each row. `limit` and entries beyond a static dimension as in
    `tile.load`; the rows from `limit` on are not looked at.

    * (C1) to (C4) as in `tile.load`; the tile has rank 1 or more;
    * (C5) `rows` is a rank-1 tile of i32, with one entry per entry of tile dimension 0.

    ```mlir
    // inside tile.kernel
    // %x: !tile.view<?x64xf32>, %i: tensor<48xi32>, %c0: index, %m: index
    %X = tile.gather %x rows %i[%c0, %c0] along [0, 1] limit(%m)
        : !tile.view<?x64xf32>, tensor<48xi32> -> tensor<48x64xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_ViewType, "memory", [MemRead]>:$view, AnyStaticShapeTensor:$rows,
                       Variadic<Index>:$indices, DenseI64ArrayAttr:$along, Optional<Index>:$limit);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $view `rows` $rows `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? attr-dict `:`
    qualified(type($view)) `,` type($rows) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$view, "::mlir::Value":$rows,
                                  "::mlir::ValueRange":$indices, "::llvm::ArrayRef<int64_t>":$along), [{
      build($_builder, $_state, result, view, rows, indices, along, ::mlir::Value());
    }]>];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "writes a tile, or a scalar";
  let description = [{
    Writes a value to a part of a view. Indices, `along` and `limit` as in `tile.load`: with `limit`, only the first
    `limit` entries of tile dimension 0 are written. Entries beyond a static dimension of the view are not written.

    * (C1) to (C4) as in `tile.load`.

    ```mlir
    // inside tile.kernel
    // %Y: tensor<48x64xf32>, %y: !tile.view<?x100xf32>, %r: index, %n0: index, %m: index
    tile.store %Y, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?x100xf32>
    ```
  }];
  let arguments = (ins AnyType:$value, Arg<Tile_ViewType, "memory", [MemWrite]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along, Optional<Index>:$limit);
  let assemblyFormat = [{
    $value `,` $view `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? attr-dict `:`
    type($value) `,` qualified(type($view))
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$value, "::mlir::Value":$view, "::mlir::ValueRange":$indices,
                                  "::llvm::ArrayRef<int64_t>":$along), [{
      build($_builder, $_state, value, view, indices, along, ::mlir::Value());
    }]>];
  let hasVerifier = 1;
}

// ------------------------------------------------------------------------------------------------ compute

class Tile_ComputeOp<string mnemonic, list<Trait> traits = []> : Tile_Op<mnemonic, !listconcat([Pure], traits)>;

def Tile_DotOp : Tile_ComputeOp<"dot", [
    OptionalTypesMatchWith<"acc has the result's type", "result", "acc", "$_self">
  ]> {
  let summary = "matrix product of two tiles with f32 accumulation";
  let description = [{
    Multiplies two tiles: r[m, n] = acc[m, n] + sum over k of a[m, k] * b[k, n]. With transpose_a, a is [k, m]; with
    transpose_b, b is [n, k]. Operands are both f32 or both bf16, whose products are exact. Each element is reduced over
    k in ascending order, starting from acc or zero.

    * (C1) operands and result have rank 2;
    * (C2) the operands agree on k, and the result is [m, n];
    * (C3) operands are both f32 or both bf16, the result is f32.

    ```mlir
    // %Q: tensor<64x16xf32>, %S: tensor<16x16xf32>, %O1: tensor<64x16xf32>
    %O2 = tile.dot %Q, %S acc(%O1) : tensor<64x16xf32>, tensor<16x16xf32> -> tensor<64x16xf32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$a, AnyStaticShapeTensor:$b, Optional<AnyStaticShapeTensor>:$acc,
                       UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $a `,` $b (`acc` `(` $acc^ `)`)? (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)? attr-dict `:`
    type($a) `,` type($b) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$a, "::mlir::Value":$b, CArg<"::mlir::Value", "{}">:$acc,
                                  CArg<"bool", "false">:$transposeA, CArg<"bool", "false">:$transposeB)>];
  let hasVerifier = 1;
}

def Tile_ReduceOp : Tile_ComputeOp<"reduce"> {
  let summary = "combines along one dimension, which disappears; of a rank-1 tile the result is a scalar";
  let description = [{
    Adds up, or takes the largest of, the elements along one dimension. The order of the combination is the target's,
    fixed by the shape. `max` of a NaN and anything is NaN.

    * (C1) dim is a dimension of the value;
    * (C2) the result has the value's other dimensions and its element type.

    ```mlir
    // %S: tensor<32x64xf32>
    %m = tile.reduce max %S along 1 : tensor<32x64xf32> -> tensor<32xf32>
    ```
  }];
  let arguments = (ins Tile_ReduceKindAttr:$kind, AnyStaticShapeTensor:$value, I64Attr:$dim);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$kind $value `along` $dim attr-dict `:` type($value) `->` type($result)";
  let builders = [OpBuilder<(ins "::mmc::tile::ReduceKind":$kind, "::mlir::Value":$value, "int64_t":$dim)>];
  let hasVerifier = 1;
}

def Tile_BroadcastOp : Tile_ComputeOp<"broadcast"> {
  let summary = "repeats a scalar or a tile: dimension i of the value becomes dimension dims[i] of the result";
  let description = [{
    Repeats the value along the dimensions of the result that `dims` does not name.

    * (C1) `dims` is strictly increasing, names dimensions of the result, and has one entry per dimension of the value;
    * (C2) the result has the value's element type, and its sizes in those dimensions.

    ```mlir
    // %m: tensor<32xf32>
    %M = tile.broadcast %m to [0] : tensor<32xf32> -> tensor<32x64xf32>
    ```
  }];
  let arguments = (ins AnyType:$value, DenseI64ArrayAttr:$dims);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$value `to` $dims attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_TransposeOp : Tile_ComputeOp<"transpose"> {
  let summary = "[M, N] to [N, M]";
  let description = [{
    Exchanges rows and columns.

    * (C1) the value is [M, N], the result [N, M], of the same element type.

    ```mlir
    // %X: tensor<48x64xf32>
    %T = tile.transpose %X : tensor<48x64xf32> -> tensor<64x48xf32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ReshapeOp : Tile_ComputeOp<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    Gives the elements, in the same row-major order, another shape.

    * (C1) value and result have the same number of elements and the same element type.

    ```mlir
    // %Q3: tensor<16x2x16xf32>
    %Q = tile.reshape %Q3 : tensor<16x2x16xf32> -> tensor<32x16xf32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_IotaOp : Tile_ComputeOp<"iota"> {
  let summary = "the index along one dimension, as i32";
  let description = [{
    Numbers the elements by their index along one dimension.

    * (C1) dim is a dimension of the result;
    * (C2) the result has elements of i32.

    ```mlir
    %i = tile.iota 0 : tensor<64x64xi32>
    ```
  }];
  let arguments = (ins I64Attr:$dim);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_TopKOp : Tile_ComputeOp<"top_k"> {
  let summary = "the k largest of each row in descending order with their columns";
  let description = [{
    Picks the k largest elements of each row, and their columns as i32; ties go to the lowest column. A NaN counts as
    smaller than any number.

    * (C1) the value is [R, C] of floats, values [R, k] of the same element type, columns [R, k] of i32;
    * (C2) k is at most C.

    ```mlir
    // %p: tensor<1x32xf32>
    %best, %columns = tile.top_k %p : tensor<1x32xf32> -> tensor<1x2xf32>, tensor<1x2xi32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$value);
  let results = (outs AnyStaticShapeTensor:$values, AnyStaticShapeTensor:$columns);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($values) `,` type($columns)";
  let hasVerifier = 1;
}

#endif

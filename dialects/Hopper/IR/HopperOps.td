// Ops of the hopper dialect: the kernel, copies and synchronisation, products, loops over fragments.
#ifndef MMC_HOPPER_OPS
#define MMC_HOPPER_OPS

include "dialects/Hopper/IR/HopperDialect.td"
include "dialects/Tile/IR/TileDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// ------------------------------------------------------------------------------------------------ structure

def Hopper_KernelOp : Hopper_Op<"kernel", [
    FunctionOpInterface, IsolatedFromAbove, Symbol,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "what one block of threads does at one point of a work domain";
  let description = [{
    Arguments and domain are those of the tile kernel that it was made from; a block of `threads` threads takes a point.
    Values of builtin type are the same in all threads.

    ```mlir
    hopper.kernel @scale(%x: !tile.view<?x64xf32> {tile.access = "read"},
                         %y: !tile.view<?x64xf32> {tile.access = "write"})
        domain(%r in #tile.extent<tokens>) threads 32 blocks 8 {
      %c0 = arith.constant 0 : index
      %v = hopper.load %x[%r, %c0] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<2>>
      %w = hopper.map(%v)
          : (!hopper.fragment<64xf32, #hopper.spread<2>>) -> !hopper.fragment<64xf32, #hopper.spread<2>> {
      ^bb0(%a: f32):
        %b = arith.addf %a, %a : f32
        hopper.yield %b : f32
      }
      hopper.store %w, %y[%r, %c0] along [1] : !hopper.fragment<64xf32, #hopper.spread<2>>, !tile.view<?x64xf32>
      hopper.return
    }
    ```

    * (C1) a kernel has no results;
    * (C2) threads is a multiple of 32 and at most 1024; blocks (resident on an SM at least) is positive;
    * (C3) the entry block has the arguments, then one index per work dimension, of which there is at least one;
    * (C4) the body has only ops of arith, math and hopper, `scf.for`, and `scf.if` without results, and no kernels;
    * (C5) an accumulator layout has at most the kernel's warps;
    * (C6) the shared tiles take at most 232,448 bytes together;
    * (C7) a `serial` kernel, whose body one thread runs, has no fragments and no shared tiles;
    * (C8) a product that was not waited for is used by `wgmma`, as its accumulator, by `wgmma_wait` and as a loop's
      value only;
    * (C9) `fill`, `acquire` and `release` stand in `roles`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, ArrayAttr:$domain,
                       I64Attr:$threads, I64Attr:$blocks, UnitAttr:$serial, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    unsigned getNumKernelArguments() { return getFunctionType().getNumInputs(); }
    /// The entry block has more arguments than the signature, so the op's own verifier checks it.
    ::llvm::LogicalResult verifyBody() { return ::mlir::success(); }
    /// With those that fill rings.
    int64_t getAllThreads();
    /// The entry block's index values of the work domain.
    ::mlir::MutableArrayRef<::mlir::BlockArgument> getPoints();
  }];
}

def Hopper_ReturnOp : Hopper_Op<"return", [Pure, HasParent<"KernelOp">, ReturnLike, Terminator]> {
  let summary = "ends a kernel";
  let description = [{
    The block is done with its point; the op has no operands, since a kernel has no results.

    ```mlir
    // inside hopper.kernel
    hopper.return
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_PointOp : Hopper_Op<"point", [Pure, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "reads a record of a work list: slot, first row, rows, position of the first row";
  let description = [{
    The record's four numbers, the same in all threads; a list has one record for each of its sequences or row tiles.

    ```mlir
    // %work: !tile.ragged, %t: index
    %slot, %row, %rows, %position = hopper.point %work[%t]
    ```
  }];
  let arguments = (ins Tile_RaggedType:$list, Index:$record);
  let results = (outs Index:$slot, Index:$row, Index:$rows, Index:$position);
  let assemblyFormat = "$list `[` $record `]` attr-dict";
}

def Hopper_DistributeOp : Hopper_Op<"distribute", [SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "a loop whose iterations are independent, dealt out to the blocks of the grid's second dimension";
  let description = [{
    Block y of gridDim.y takes the iterations y, y + gridDim.y, ...; the launch chooses gridDim.y.

    * (C1) it stands in the kernel's body itself, and its body has one argument, the index.

    ```mlir
    // inside hopper.kernel
    // %from: index, %to: index, %step: index
    hopper.distribute %m = %from to %to step %step {
      hopper.barrier
    }
    ```
  }];
  let arguments = (ins Index:$lower, Index:$upper, Index:$step);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Hopper_YieldOp : Hopper_Op<"yield", [
    Pure, ReturnLike, Terminator, ParentOneOf<["MapOp", "DistributeOp", "FillOp", "RolesOp"]>]> {
  let summary = "ends the body of a map, of a distributed loop, of a fill or of a role";
  let description = [{
    In a map its operands are the element of each result; elsewhere it has none, and is left out in text.

    ```mlir
    %ones = hopper.map() : () -> !hopper.fragment<64xf32, #hopper.spread<1>> {
      %one = arith.constant 1.0 : f32
      hopper.yield %one : f32
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Hopper_RolesOp : Hopper_Op<"roles", [
    NoRegionArguments, SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "some warps fill rings, the others do everything else";
  let description = [{
    `fill` is executed by so many threads more than the kernel has, behind its own; `compute` by the kernel's. Each side
    takes or gives back registers first, so that together they have what the block was launched with.

    * (C1) it stands in the kernel's body itself, beside allocs, rings and arithmetic only;
    * (C2) both sides are whole warpgroups, at most 1024 threads together;
    * (C3) registers are multiples of 8 from 24 to 256, and those of all threads of all blocks are at most 65,536;
    * (C4) the filling side has no fragments, no barriers and nothing of the order of copies; the other one no fills;
    * (C5) in each block of the computing side a ring is released as often as it is acquired;
    * (C6) the fills of a ring are of one kind: all have tensor copies or none has, and all have copies or none has,
      since what makes a stage full is counted alike each time.

    ```mlir
    hopper.kernel @roles() domain(%p in #tile.extent<fixed, 1>) threads 128 blocks 2 {
      %ring = hopper.ring : !hopper.ring<4>
      hopper.roles fill 128 registers 40 {
        hopper.fill %ring : !hopper.ring<4> {
        ^bb0(%stage: index):
          hopper.yield
        }
      } compute registers 216 {
        %stage = hopper.acquire %ring : !hopper.ring<4>
        hopper.release %ring : !hopper.ring<4>
      }
      hopper.return
    }
    ```
  }];
  let arguments = (ins I64Attr:$fillers, I64Attr:$fill_registers, I64Attr:$compute_registers);
  let regions = (region SizedRegion<1>:$fill, SizedRegion<1>:$compute);
  let assemblyFormat = [{
    `fill` $fillers `registers` $fill_registers $fill `compute` `registers` $compute_registers $compute attr-dict
  }];
  let hasVerifier = 1;
}

def Hopper_FillOp : Hopper_Op<"fill", [
    SingleBlockImplicitTerminator<"YieldOp">, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "fills the next stage of a ring, when it is empty, by copies";
  let description = [{
    The argument is the stage's number. It is full when the copies of all filling threads are complete, and when all
    bytes of its tensor copies have come, which one thread starts.

    * (C1) the body has one argument of type index, and only copies, tensor copies and arithmetic of scalars.

    ```mlir
    // %ring: !hopper.ring<4>
    hopper.fill %ring : !hopper.ring<4> {
    ^bb0(%stage: index):
      hopper.yield
    }
    ```
  }];
  let arguments = (ins Hopper_RingType:$ring);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$ring `:` qualified(type($ring)) $body attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What the tensor copies bring, in bytes: whole tiles, zeros beyond the edges counted.
    int64_t getTensorBytes();
    /// Whether every filling thread arrives: where there are copies, or no tensor copies.
    bool isByThreads();
  }];
}

def Hopper_AcquireOp : Hopper_Op<"acquire", [
    MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "waits until the next stage of a ring is full";
  let description = [{
    What came to its tiles is seen by loads of the thread; by wgmma what came by tensor copies, and the rest after a
    `fence_proxy`.

    ```mlir
    // %ring: !hopper.ring<4>
    %stage = hopper.acquire %ring : !hopper.ring<4>
    hopper.release %ring : !hopper.ring<4>
    ```
  }];
  let arguments = (ins Hopper_RingType:$ring);
  let results = (outs Index:$stage);
  let assemblyFormat = "$ring attr-dict `:` qualified(type($ring))";
}

def Hopper_ReleaseOp : Hopper_Op<"release", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "gives the oldest stage that was acquired back, to be filled again";
  let description = [{
    All warps that compute do so, each after its last read; of a product of warpgroups after the wait for it.

    ```mlir
    // %ring: !hopper.ring<4>
    hopper.release %ring : !hopper.ring<4>
    ```
  }];
  let arguments = (ins Hopper_RingType:$ring);
  let assemblyFormat = "$ring attr-dict `:` qualified(type($ring))";
}

// ------------------------------------------------------------------------------------------------ global memory

class Hopper_ViewOp<string mnemonic> : Hopper_Op<mnemonic, [AttrSizedOperandSegments]>;

def Hopper_LoadOp : Hopper_ViewOp<"load"> {
  let summary = "reads a fragment, or a scalar, from global memory";
  let description = [{
    Indices, `along`, `limit` and the zeros beyond them as in `tile.load`; with `rows` (a vector of i32 in shared
    memory), as in `tile.gather`. With `extents`, what lies beyond them is zero too: a fragment that is padded to the
    size that products need.

    * (C1) one index per view dimension;
    * (C2) `along` is strictly increasing, names dimensions of the view, and has one entry per dimension of the result;
    * (C3) the result has the view's element type; rows, limit and extents need a fragment;
    * (C4) extents are positive, one per dimension of the fragment and at most its size;
    * (C5) rows are a vector of i32 of one stage, with an entry for each index along the fragment's first dimension (for
      each within its extent, where there are extents).

    ```mlir
    // %x: !tile.view<?x64xf32>, %r: index, %c0: index, %m: index
    %X = hopper.load %x[%r, %c0] along [0, 1] limit(%m)
        : !tile.view<?x64xf32> -> !hopper.fragment<64x64xf32, #hopper.spread<4>>
    ```
  }];
  let arguments = (ins Arg<Tile_ViewType, "memory", [MemRead]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along,
                       Optional<Index>:$limit, Arg<Optional<Hopper_SharedType>, "rows", [MemRead]>:$rows,
                       OptionalAttr<DenseI64ArrayAttr>:$extents);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $view `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? (`rows` `(` $rows^ `:` qualified(type($rows)) `)`)?
    (`extents` $extents^)? attr-dict
    `:` qualified(type($view)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Hopper_StoreOp : Hopper_ViewOp<"store"> {
  let summary = "writes a fragment, or a scalar (by one thread), to global memory";
  let description = [{
    Indices, `along`, `limit` and `extents` as in `hopper.load`, and so are the constraints (C1) to (C4); nothing is
    written beyond them.

    ```mlir
    // %Y: !hopper.fragment<64x64xf32, #hopper.spread<4>>, %y: !tile.view<?x64xf32>, %r: index, %c0: index, %m: index
    hopper.store %Y, %y[%r, %c0] along [0, 1] limit(%m)
        : !hopper.fragment<64x64xf32, #hopper.spread<4>>, !tile.view<?x64xf32>
    ```
  }];
  let arguments = (ins AnyType:$value, Arg<Tile_ViewType, "memory", [MemWrite]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along, Optional<Index>:$limit, OptionalAttr<DenseI64ArrayAttr>:$extents);
  let assemblyFormat = [{
    $value `,` $view `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? (`extents` $extents^)? attr-dict
    `:` qualified(type($value)) `,` qualified(type($view))
  }];
  let hasVerifier = 1;
}

def Hopper_CopyOp : Hopper_ViewOp<"copy"> {
  let summary = "starts copying a tile from global memory to a stage of shared memory";
  let description = [{
    By cp.async, with zeros beyond the tile's edges. Complete after `hopper.wait`, and then for
    the copying thread alone; for the others after a barrier too.

    * (C1) to (C5) as in `hopper.load`, with the shared tile, which has rank 2, in place of the result;
    * (C6) a stage is given exactly where the tile has several;
    * (C7) rows of the view are contiguous and, like those of the tile, begin at multiples of 16 bytes, so that pieces
      of 16 bytes can be copied;
    * (C8) a list, whose entries from `first` on are the view's rows instead of `rows`, is a vector of i32 that the
      kernel only reads; there is one of both at most.

    ```mlir
    // %w: !tile.view<128x64xbf16>, %n: index, %c0: index, %s: !hopper.shared<64x64xbf16, swizzle = 128>
    hopper.copy %w[%n, %c0] along [0, 1] to %s
        : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16, swizzle = 128>
    ```
  }];
  let arguments = (ins Arg<Tile_ViewType, "memory", [MemRead]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along,
                       Optional<Index>:$limit, Arg<Optional<Hopper_SharedType>, "rows", [MemRead]>:$rows,
                       Arg<Optional<Tile_ViewType>, "list of rows", [MemRead]>:$list, Optional<Index>:$first,
                       Arg<Hopper_SharedType, "destination", [MemWrite]>:$shared, Optional<Index>:$stage,
                       OptionalAttr<DenseI64ArrayAttr>:$extents);
  let assemblyFormat = [{
    $view `[` $indices `]` `along` $along (`limit` `(` $limit^ `)`)? (`rows` `(` $rows^ `:` qualified(type($rows)) `)`)?
    (`list` `(` $list^ `[` $first `]` `:` qualified(type($list)) `)`)? (`extents` $extents^)? `to` $shared
    (`stage` $stage^)? attr-dict
    `:` qualified(type($view)) `,` qualified(type($shared))
  }];
  let hasVerifier = 1;
}

def Hopper_TensorCopyOp : Hopper_ViewOp<"tensor_copy"> {
  let summary = "starts copying a tile from global memory by the copy engine, through a tensor map";
  let description = [{
    One filling thread starts it, for each span of the tile's swizzle a box of the view's tensor map, and the stage is
    full when the bytes have come. Beyond the view's extents there are zeros; a first extent that is dynamic is that of
    the memory behind the argument, so rows beyond those that a launch wrote come as they are.

    The kernel gets a map for each view and shape of box, after its other parameters; the launch makes it.

    * (C1) to (C3) as in `hopper.load`, with the shared tile, which has rank 2, in place of the result;
    * (C4) it stands in a `hopper.fill`;
    * (C5) the view is an argument of the kernel that is only read, neither paged nor in panels, of rank 2 to 5, with
      contiguous rows along the last dimension, which is the tile's; rows, and the view's offset, are multiples of 16
      bytes;
    * (C6) the tile has a swizzle and at most 256 rows;
    * (C7) a stage is given exactly where the tile has several.

    ```mlir
    hopper.kernel @bring(%w: !tile.view<128x64xbf16> {tile.access = "read"}) domain(%p in #tile.extent<fixed, 1>)
        threads 128 blocks 2 {
      %c0 = arith.constant 0 : index
      %s = hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>
      %ring = hopper.ring : !hopper.ring<2>
      hopper.roles fill 128 registers 40 {
        hopper.fill %ring : !hopper.ring<2> {
        ^bb0(%stage: index):
          hopper.tensor_copy %w[%c0, %c0] along [0, 1] to %s stage %stage
              : !tile.view<128x64xbf16>, !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>
          hopper.yield
        }
      } compute registers 216 {
        %stage = hopper.acquire %ring : !hopper.ring<2>
        hopper.release %ring : !hopper.ring<2>
      }
      hopper.return
    }
    ```
  }];
  let arguments = (ins Arg<Tile_ViewType, "memory", [MemRead]>:$view, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$along, Arg<Hopper_SharedType, "destination", [MemWrite]>:$shared,
                       Optional<Index>:$stage);
  let assemblyFormat = [{
    $view `[` $indices `]` `along` $along `to` $shared (`stage` $stage^)? attr-dict
    `:` qualified(type($view)) `,` qualified(type($shared))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Elements along each dimension of the view that a copy moves at once: a span of the swizzle by the tile's rows.
    ::llvm::SmallVector<int64_t> getBox();
  }];
}

// ------------------------------------------------------------------------------------------------ shared memory

def Hopper_AllocOp : Hopper_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a tile in shared memory, for the whole kernel";
  let description = [{
    The tile is a member of the kernel's one structure of shared memory; what is in it at first is not defined.

    * (C1) it stands in the kernel's entry block.

    ```mlir
    // inside hopper.kernel
    %s = hopper.alloc : !hopper.shared<64x64xbf16, swizzle = 128>
    ```
  }];
  let results = (outs Hopper_SharedType:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def Hopper_RingOp : Hopper_Op<"ring", [MemoryEffects<[MemAlloc]>]> {
  let summary = "the barriers of a ring, in shared memory, for the whole kernel; all stages are empty";
  let description = [{
    Each of the stages is filled by all filling threads and released by all computing warps.

    * (C1) it stands in the kernel's entry block.

    ```mlir
    // inside hopper.kernel
    %r = hopper.ring : !hopper.ring<4>
    ```
  }];
  let results = (outs Hopper_RingType:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def Hopper_CommitOp : Hopper_Op<"commit", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "closes a group of copies";
  let description = [{
    The copies that this thread has started since the last commit are one group; a group may be empty.

    ```mlir
    hopper.commit
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_WaitOp : Hopper_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits until at most `pending` groups of copies are unfinished";
  let description = [{
    The groups are the thread's own, and the last ones may be unfinished: with two stages ahead, `hopper.wait 1` waits
    for the older one.

    * (C1) pending is not negative.

    ```mlir
    hopper.wait 1
    ```
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
  let hasVerifier = 1;
}

def Hopper_BarrierOp : Hopper_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "all threads of the block meet; shared memory written before is seen after";
  let description = [{
    Every thread of the block comes here, so it stands where control flow is the same in all of them.

    ```mlir
    hopper.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_FenceProxyOp : Hopper_Op<"fence_proxy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "what this thread wrote to shared memory is seen by wgmma after the next barrier";
  let description = [{
    Products of warpgroups read shared memory by another way than loads and stores do (the asynchronous proxy), so a
    barrier alone is not enough.

    ```mlir
    hopper.fence_proxy
    hopper.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Hopper_PutOp : Hopper_Op<"put"> {
  let summary = "writes a fragment to a shared tile";
  let description = [{
    In a tile of rank 2 each element goes to its own place; in a vector the elements are in row-major order. The rest is
    left alone. Complete for other threads after a barrier.

    * (C1) element types agree, and the tile has one stage; of rank 2, the fragment has rank 2, and each dimension is at
      most the tile's; a vector has as many elements as the fragment, or more.

    ```mlir
    // %f: !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>, %s: !hopper.shared<64x64xbf16, swizzle = 128>
    hopper.put %f, %s
        : !hopper.fragment<64x64xbf16, #hopper.accumulator<4 x 1>>, !hopper.shared<64x64xbf16, swizzle = 128>
    ```
  }];
  let arguments = (ins Hopper_FragmentType:$value, Arg<Hopper_SharedType, "destination", [MemWrite]>:$shared);
  let assemblyFormat = "$value `,` $shared attr-dict `:` qualified(type($value)) `,` qualified(type($shared))";
  let hasVerifier = 1;
}

def Hopper_ClearOp : Hopper_Op<"clear"> {
  let summary = "fills a shared tile with zeros";
  let description = [{
    The padding of a product's operand is cleared before the operand is put.

    * (C1) the tile has rank 2 and one stage.

    ```mlir
    // %s: !hopper.shared<16x64xbf16>
    hopper.clear %s : !hopper.shared<16x64xbf16>
    ```
  }];
  let arguments = (ins Arg<Hopper_SharedType, "destination", [MemWrite]>:$shared);
  let assemblyFormat = "$shared attr-dict `:` qualified(type($shared))";
  let hasVerifier = 1;
}

def Hopper_GetOp : Hopper_Op<"get"> {
  let summary = "reads a fragment from a shared vector or tile";
  let description = [{
    The fragment's elements in row-major order are a vector's first ones, so a get after a put may change shape and
    layout; from a tile each element comes from its own place.

    * (C1) element types agree; a vector has one stage, and as many elements as the fragment, or more; a tile has the
      fragment's shape;
    * (C2) a stage is given exactly where the tile has several.

    ```mlir
    // %s: !hopper.shared<4096xbf16>
    %f = hopper.get %s : !hopper.shared<4096xbf16> -> !hopper.fragment<128x32xbf16, #hopper.spread<8>>
    ```
  }];
  let arguments = (ins Arg<Hopper_SharedType, "source", [MemRead]>:$shared, Optional<Index>:$stage);
  let results = (outs Hopper_FragmentType:$result);
  let assemblyFormat = [{
    $shared (`stage` $stage^)? attr-dict `:` qualified(type($shared)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

// ------------------------------------------------------------------------------------------------ compute

def Hopper_MultiplyOp : Hopper_Op<"multiply", [
    TypesMatchWith<"the accumulator has the result's type", "result", "acc", "$_self">]> {
  let summary = "acc + a b on tensor cores, with bf16 operands and f32 accumulators";
  let description = [{
    Operands are shared tiles; a may also be in registers. A shared a is [M, K] ([K, M] with transpose_a), b is [K, N]
    ([N, K] with transpose_b). A register a is a bf16 accumulator fragment [M, K] of whole rows per warp. Sums run over
    k in ascending order, sixteen at a time.

    * (C1) the result is f32 with an accumulator layout; shapes agree on M, K, N;
    * (C2) operands are bf16; K is a multiple of 16;
    * (C3) a register a has the result's layout, with one column of warps, and no transpose_a;
    * (C4) a stage index is given exactly where a tile has more than one stage.

    ```mlir
    // %acc: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    // %a: !hopper.shared<64x64xbf16>, %b: !hopper.shared<64x64xbf16>
    %p = hopper.multiply %acc, %a, %b transpose_b
        : !hopper.shared<64x64xbf16>, !hopper.shared<64x64xbf16>
        -> !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    ```
  }];
  let arguments = (ins Hopper_FragmentType:$acc, Arg<AnyType, "left", [MemRead]>:$a,
                       Arg<Hopper_SharedType, "right", [MemRead]>:$b,
                       Optional<Index>:$stage, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs Hopper_FragmentType:$result);
  let assemblyFormat = [{
    $acc `,` $a `,` $b (`stage` $stage^)? (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)? attr-dict
    `:` qualified(type($a)) `,` qualified(type($b)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Hopper_WgmmaOp : Hopper_Op<"wgmma", [
    MemoryEffects<[MemRead, MemWrite]>,
    TypesMatchWith<"the accumulator has the result's type", "result", "acc", "$_self">]> {
  let summary = "starts acc + a b on tensor cores, by warpgroups: it runs while the threads go on";
  let description = [{
    Operands as in `hopper.multiply`; each warpgroup has 64 rows of the result. What was written to the operands with
    plain stores and `hopper.copy` is read after a `hopper.fence_proxy` of the writers and a barrier. The result, and a
    register a, are not touched before `hopper.wgmma_wait`: the result may only be the accumulator of another wgmma, be
    carried by a loop, and be waited for.

    * (C1) to (C4) as in `hopper.multiply`;
    * (C5) the result's rows are a multiple of 4 warps with 16 rows each; a warp has 16, 32, 48, 64, 80, 96, 112, 128,
      160, 192, 224 or 256 columns;
    * (C6) shared operands have a swizzle; of an operand whose rows are k, each warpgroup's part is whole spans of it.

    ```mlir
    // %acc: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    // %a: !hopper.shared<64x64xbf16, swizzle = 128>, %b: !hopper.shared<64x64xbf16, swizzle = 128>
    %p = hopper.wgmma %acc, %a, %b transpose_b
        : !hopper.shared<64x64xbf16, swizzle = 128>, !hopper.shared<64x64xbf16, swizzle = 128>
        -> !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    %q = hopper.wgmma_wait 0 for %p : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    ```
  }];
  let arguments = (ins Hopper_FragmentType:$acc, AnyType:$a, Hopper_SharedType:$b,
                       Optional<Index>:$stage, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs Hopper_FragmentType:$result);
  let assemblyFormat = [{
    $acc `,` $a `,` $b (`stage` $stage^)? (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)? attr-dict
    `:` qualified(type($a)) `,` qualified(type($b)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Hopper_WgmmaFenceOp : Hopper_Op<"wgmma_fence", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the accumulators of several products are written before the first of them starts";
  let description = [{
    Of products that start one after another, what a later one adds to is not to be written while an earlier one runs;
    the CUDA compiler would move such writes between them, and then wait there.

    * (C1) there are two accumulators or more.

    ```mlir
    // %p: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    // %q: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    hopper.wgmma_fence %p, %q : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>,
                                !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    ```
  }];
  let arguments = (ins Variadic<Hopper_FragmentType>:$accumulators);
  let assemblyFormat = "$accumulators attr-dict `:` qualified(type($accumulators))";
  let hasVerifier = 1;
}

def Hopper_WgmmaWaitOp : Hopper_Op<"wgmma_wait", [
    MemoryEffects<[MemRead, MemWrite]>,
    TypesMatchWith<"values keep their types", "values", "results", "$_self">]> {
  let summary = "waits until at most `pending` of the thread's last products are unfinished";
  let description = [{
    The values that are named are complete then, and the results are what may be touched; without values it only makes
    the operands of older products free to be written again.

    * (C1) pending is not negative, and 0 where values are named.

    ```mlir
    hopper.wgmma_wait 1
    ```
  }];
  let arguments = (ins I64Attr:$pending, Variadic<Hopper_FragmentType>:$values);
  let results = (outs Variadic<Hopper_FragmentType>:$results);
  let assemblyFormat = "$pending (`for` $values^ `:` qualified(type($values)))? attr-dict";
  let hasVerifier = 1;
}

def Hopper_MapOp : Hopper_Op<"map", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "computes each element of fragments of one layout from the elements at its place";
  let description = [{
    Operands are fragments of the results' layout and shape, or slices of it (the entry of the element's row or column);
    scalars from outside are used as they are. The body's arguments are elements.

    * (C1) results have one layout and shape; an operand has it too, or is a slice of it;
    * (C2) the body has one argument per operand, of its element type, and yields one value per result;
    * (C3) the body has only scalar ops of arith and math, `hopper.coordinate` and `hopper.lookup`.

    ```mlir
    // %p: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    // %w: !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>
    %q = hopper.map(%p, %w)
        : (!hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>,
           !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>)
        -> !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>> {
    ^bb0(%a: f32, %b: f32):
      %c = arith.mulf %a, %b : f32
      hopper.yield %c : f32
    }
    ```
  }];
  let arguments = (ins Variadic<Hopper_FragmentType>:$inputs);
  let results = (outs Variadic<Hopper_FragmentType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Hopper_CoordinateOp : Hopper_Op<"coordinate", [Pure, HasParent<"MapOp">]> {
  let summary = "the element's index along one dimension";
  let description = [{
    What a table of positions or a mask is computed from; the index is that in the tile, whichever thread has the
    element.

    * (C1) dim is a dimension of the map's fragments.

    ```mlir
    %positions = hopper.map() : () -> !hopper.fragment<64xi32, #hopper.spread<1>> {
      %i = hopper.coordinate 0
      hopper.yield %i : i32
    }
    ```
  }];
  let arguments = (ins I64Attr:$dim);
  let results = (outs I32:$result);
  let assemblyFormat = "$dim attr-dict";
  let hasVerifier = 1;
}

def Hopper_LookupOp : Hopper_Op<"lookup", [Pure, HasParent<"MapOp">]> {
  let summary = "the entry of a constant vector at the element's index along one dimension";
  let description = [{
    The entry is read from the device's constant memory.

    * (C1) dim is a dimension of the map's fragments, and the vector has an entry for each index;
    * (C2) the result has the vector's element type.

    ```mlir
    %frequencies = hopper.map() : () -> !hopper.fragment<4xf32, #hopper.spread<1>> {
      %f = hopper.lookup dense<[1.0, 0.5, 0.25, 0.125]> : tensor<4xf32> at 0 -> f32
      hopper.yield %f : f32
    }
    ```
  }];
  let arguments = (ins ElementsAttr:$values, I64Attr:$dim);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$values `at` $dim attr-dict `->` type($result)";
  let hasVerifier = 1;
}

def Hopper_ReshapeOp : Hopper_Op<"reshape", [Pure]> {
  let summary = "the same registers under another shape";
  let description = [{
    Nothing moves: a spread layout is that of the row-major order, which a reshape keeps.

    * (C1) both fragments are spread by the same vector and have the same elements, in number and type.

    ```mlir
    // %q: !hopper.fragment<16x2x64xbf16, #hopper.spread<8>>
    %r = hopper.reshape %q
        : !hopper.fragment<16x2x64xbf16, #hopper.spread<8>> -> !hopper.fragment<32x64xbf16, #hopper.spread<8>>
    ```
  }];
  let arguments = (ins Hopper_FragmentType:$value);
  let results = (outs Hopper_FragmentType:$result);
  let assemblyFormat = "$value attr-dict `:` qualified(type($value)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Hopper_ReduceOp : Hopper_Op<"reduce", [Pure]> {
  let summary = "combines a fragment along one dimension: to a slice, or a vector to a scalar";
  let description = [{
    Each thread combines its own elements in ascending slots, then lanes by doubling distances, then warps in ascending
    order, through a scratch of the kernel.

    * (C1) dim is a dimension of the value;
    * (C2) the result is the scalar element, or the slice of the value's layout without dim.

    ```mlir
    // %s: !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
    %m = hopper.reduce max %s along 1
        : !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
        -> !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>
    ```
  }];
  let arguments = (ins Tile_ReduceKindAttr:$kind, Hopper_FragmentType:$value, I64Attr:$dim);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$kind $value `along` $dim attr-dict `:` qualified(type($value)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Hopper_TopKOp : Hopper_Op<"top_k", [Pure]> {
  let summary = "the k largest of each row in descending order with their columns";
  let description = [{
    Ties go to the lowest column, and NaN is the smallest, as in `tile.top_k`; k is the size of the results' rows.

    * (C1) the value is [R, C] f32 and spread, values [R, k] f32, columns [R, k] i32, spread by 1; k is at most C.

    ```mlir
    // %p: !hopper.fragment<1x32xf32, #hopper.spread<1>>
    %best, %columns = hopper.top_k %p
        : !hopper.fragment<1x32xf32, #hopper.spread<1>>
        -> !hopper.fragment<1x2xf32, #hopper.spread<1>>, !hopper.fragment<1x2xi32, #hopper.spread<1>>
    ```
  }];
  let arguments = (ins Hopper_FragmentType:$value);
  let results = (outs Hopper_FragmentType:$values, Hopper_FragmentType:$columns);
  let assemblyFormat = [{
    $value attr-dict `:` qualified(type($value)) `->` qualified(type($values)) `,` qualified(type($columns))
  }];
  let hasVerifier = 1;
}

#endif

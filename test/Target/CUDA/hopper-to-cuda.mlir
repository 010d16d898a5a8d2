// RUN: %mmc-translate --hopper-to-cuda %s | FileCheck %s
// The text of three kernels, line by line: calls of the device library with names and expressions as a person writes them.

// A row: maps are one expression each, a sum over two warps needs the scratch, an extent is a number in device memory.
// CHECK-LABEL: // norm
// CHECK-NEXT: #include "block/kernel.cuh"
// CHECK-EMPTY:
// CHECK-NEXT: struct Shared {
// CHECK-NEXT:   float scratch[kReduceScratch];
// CHECK-NEXT: };
// CHECK-NEXT: static_assert(sizeof(Shared) == 4096, "as the plan says");
// CHECK-EMPTY:
// CHECK-NEXT: MMC_KERNEL(64, 8) void norm(const float *x, const float *weight, float *y, const u32 *extent0) {
// CHECK-NEXT:   MMC_SHARED(Shared, shared);
// CHECK-NEXT:   const s64 point0 = s64(blockIndex());
// CHECK-NEXT:   if (point0 >= *extent0) return;
// CHECK-NEXT:   BlockFragment<float, Spread<64, 1, 64>> xPart;
// CHECK-NEXT:   load<8>(xPart, bounds(64), [&](u32 i) { return x + (point0 * 64 + i); });
// CHECK-NEXT:   BlockFragment<float, Spread<64, 1, 64>> scaled;
// CHECK-NEXT:   assign(scaled, [&](u32 slot) {
// CHECK-NEXT:     return xPart[slot] * xPart[slot];
// CHECK-NEXT:   });
// CHECK-NEXT:   const float total = reduceAll<Add>(scaled, shared.scratch);
// CHECK-NEXT:   const float inverseRoot = rsqrtApprox(total * 0.015625f);
// CHECK-NEXT:   BlockFragment<float, Spread<64, 1, 64>> weightPart;
// CHECK-NEXT:   load<8>(weightPart, bounds(64), [&](u32 i) { return weight + i; });
// CHECK-NEXT:   BlockFragment<float, Spread<64, 1, 64>> scaled2;
// CHECK-NEXT:   assign(scaled2, [&](u32 slot) {
// CHECK-NEXT:     return (xPart[slot] * inverseRoot) * weightPart[slot];
// CHECK-NEXT:   });
// CHECK-NEXT:   store<8>(scaled2, bounds(64), [&](u32 i) { return y + (point0 * 64 + i); });
// CHECK-NEXT: }
// CHECK-NEXT: MMC_EXPORT(norm, 64, 8, Shared)
hopper.kernel @norm(%x: !tile.view<?x64xf32> {tile.access = "read"} loc("x"), %w: !tile.view<64xf32> {tile.access = "read"} loc("weight"),
    %y: !tile.view<?x64xf32> {tile.access = "write"} loc("y")) domain(%r in #tile.extent<tokens>) threads 64 blocks 8 {
  %c0 = arith.constant 0 : index
  %scale = arith.constant 1.562500e-02 : f32
  %row = hopper.load %x[%r, %c0] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<1>>
  %squares = hopper.map(%row) : (!hopper.fragment<64xf32, #hopper.spread<1>>) -> !hopper.fragment<64xf32, #hopper.spread<1>> {
  ^bb0(%a: f32):
    %b = arith.mulf %a, %a : f32
    hopper.yield %b : f32
  }
  %sum = hopper.reduce add %squares along 0 : !hopper.fragment<64xf32, #hopper.spread<1>> -> f32
  %mean = arith.mulf %sum, %scale : f32
  %inverse = math.rsqrt %mean : f32
  %weights = hopper.load %w[%c0] along [0] : !tile.view<64xf32> -> !hopper.fragment<64xf32, #hopper.spread<1>>
  %normed = hopper.map(%row, %weights) : (!hopper.fragment<64xf32, #hopper.spread<1>>, !hopper.fragment<64xf32, #hopper.spread<1>>)
      -> !hopper.fragment<64xf32, #hopper.spread<1>> {
  ^bb0(%a: f32, %b: f32):
    %c = arith.mulf %a, %inverse : f32
    %d = arith.mulf %c, %b : f32
    hopper.yield %d : f32
  }
  hopper.store %normed, %y[%r, %c0] along [1] : !hopper.fragment<64xf32, #hopper.spread<1>>, !tile.view<?x64xf32>
  hopper.return
}

// A product streamed through two stages of a ring; rows are dealt out over the second dimension of the grid.
// CHECK-LABEL: // product
// CHECK-NEXT: #include "block/kernel.cuh"
// CHECK-EMPTY:
// CHECK-NEXT: struct Shared {
// CHECK-NEXT:   Tile<bf16, 64, 64, Swizzle::bytes128> tile2[2];
// CHECK-NEXT:   Tile<bf16, 64, 64, Swizzle::bytes128> tile3[2];
// CHECK-NEXT: };
// CHECK-NEXT: static_assert(sizeof(Shared) == 32768, "as the plan says");
// CHECK-EMPTY:
// CHECK-NEXT: MMC_KERNEL(128, 2) void product(const bf16 *a, const bf16 *w, float *y, const u32 *tokenCountPointer,
// CHECK-NEXT:     const u32 *extent0) {
// CHECK-NEXT:   MMC_SHARED(Shared, shared);
// CHECK-NEXT:   const s64 tokenCount = *tokenCountPointer;
// CHECK-NEXT:   const s64 point1 = s64(blockIndex()) % 2;
// CHECK-NEXT:   const s64 point0 = s64(blockIndex()) / 2;
// CHECK-NEXT:   if (point0 >= *extent0) return;
// CHECK-NEXT:   const s64 first = point1 * 64;
// CHECK-NEXT:   BlockFragment<float, Accumulators<128, 4, 1, 64, 64>> filled;
// CHECK-NEXT:   assign(filled, [&](u32 slot) {
// CHECK-NEXT:     return 0.0f;
// CHECK-NEXT:   });
// CHECK-NEXT:   MMC_NO_UNROLL for (s64 at = blockIndexY() * 64; at < tokenCount; at += blockCountY() * 64) {
// CHECK-NEXT:     const s64 left = tokenCount - at;
// CHECK-NEXT:     BlockFragment<float, Accumulators<128, 4, 1, 64, 64>> carried;
// CHECK-NEXT:     copy(carried, filled);
// CHECK-NEXT:     MMC_NO_UNROLL for (s64 at2 = 0; at2 < 4; ++at2) {
// CHECK-NEXT:       const s64 stage = at2 % 2;
// CHECK-NEXT:       const s64 first2 = at2 * 64;
// CHECK-NEXT:       copyTile<128>(shared.tile2[stage], bounds(atMost(left, 64), within(first2, 64, 256)),
// CHECK-NEXT:           [&](u32 i, u32 j) { return a + (at * 256 + i * 256 + first2 + j); });
// CHECK-NEXT:       copyTile<128>(shared.tile3[stage], bounds(within(first, 64, 128), within(first2, 64, 256)),
// CHECK-NEXT:           [&](u32 i, u32 j) { return w + (first * 256 + i * 256 + first2 + j); });
// CHECK-NEXT:       copyAsyncCommit();
// CHECK-NEXT:       copyAsyncWait<0>();
// CHECK-NEXT:       syncThreads();
// CHECK-NEXT:       multiply(carried, kMajor(shared.tile2[stage]), kMajor(shared.tile3[stage]));
// CHECK-NEXT:     }
// CHECK-NEXT:     store<8>(carried, bounds(atMost(left, 64), within(first, 64, 128)),
// CHECK-NEXT:         [&](u32 i, u32 j) { return y + (at * 128 + i * 128 + first + j); });
// CHECK-NEXT:   }
// CHECK-NEXT: }
// CHECK-NEXT: MMC_EXPORT(product, 128, 2, Shared)
!acc = !hopper.fragment<64x64xf32, #hopper.accumulator<4 x 1>>
!sums = !hopper.fragment<64xf32, #hopper.slice<dim = 1, #hopper.accumulator<4 x 1>>>
!ring = !hopper.shared<64x64xbf16, swizzle = 128, stages = 2>

hopper.kernel @product(%a: !tile.view<?x256xbf16> {tile.access = "read"} loc("a"), %w: !tile.view<128x256xbf16> {tile.access = "read"} loc("w"),
    %y: !tile.view<?x128xf32> {tile.access = "write"} loc("y"), %count: index {tile.step = #tile.step<token_count>} loc("token_count"))
    domain(%m in #tile.extent<tokens>, %n in #tile.extent<fixed, 2>) threads 128 blocks 2 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %left = hopper.alloc : !ring
  %right = hopper.alloc : !ring
  %column = arith.muli %n, %c64 : index
  %zero = hopper.map() : () -> !acc {
    %z = arith.constant 0.0 : f32
    hopper.yield %z : f32
  }
  hopper.distribute %row = %c0 to %count step %c64 {
    %rest = arith.subi %count, %row : index
    %sum = scf.for %k = %c0 to %c4 step %c1 iter_args(%part = %zero) -> (!acc) {
      %stage = arith.remsi %k, %c2 : index
      %at = arith.muli %k, %c64 : index
      hopper.copy %a[%row, %at] along [0, 1] limit(%rest) to %left stage %stage : !tile.view<?x256xbf16>, !ring
      hopper.copy %w[%column, %at] along [0, 1] to %right stage %stage : !tile.view<128x256xbf16>, !ring
      hopper.commit
      hopper.wait 0
      hopper.barrier
      %next = hopper.multiply %part, %left, %right stage %stage transpose_b : !ring, !ring -> !acc
      scf.yield %next : !acc
    }
    hopper.store %sum, %y[%row, %column] along [0, 1] limit(%rest) : !acc, !tile.view<?x128xf32>
  }
  hopper.return
}

// Keys of a paged view: a pool and its table of pages, the record of a work list, rows up to the limit.
// CHECK-LABEL: // attention_load
// CHECK-NEXT: #include "block/kernel.cuh"
// CHECK-EMPTY:
// CHECK-NEXT: MMC_KERNEL(64, 1) void attention_load(const bf16 *keys, const s32 *keysPages, bf16 *y, const WorkRecord *work,
// CHECK-NEXT:     const u32 *extent0) {
// CHECK-NEXT:   const s64 point1 = s64(blockIndex()) % 2;
// CHECK-NEXT:   const s64 point0 = s64(blockIndex()) / 2;
// CHECK-NEXT:   if (point0 >= *extent0) return;
// CHECK-NEXT:   const WorkRecord record = work[point0];
// CHECK-NEXT:   BlockFragment<bf16, Spread<64, 8, 16, 32>> keysPart;
// CHECK-NEXT:   load<8>(keysPart, bounds(atMost(s64(record.rows), 16), 32),
// CHECK-NEXT:       [&](u32 i, u32 j) { return pagedRow<64, 8, 4096, 64>(keys, keysPages, s64(record.slot), s64(record.position) +
// CHECK-NEXT:       i) + point1 * 32 + j; });
// CHECK-NEXT:   store<8>(keysPart, bounds(16, 32), [&](u32 i, u32 j) { return y + (point0 * 512 + i * 32 + j); });
// CHECK-NEXT: }
// CHECK-NEXT: MMC_EXPORT(attention_load, 64, 1)
!keys = !tile.view<?x?x2x32xbf16, #tile.paged<page = 64, table = 8, strides = [64, 32, 1]>>

hopper.kernel @attention_load(%k: !keys {tile.access = "read"} loc("keys"), %y: !tile.view<?x16x32xbf16> {tile.access = "write"} loc("y"),
    %work: !tile.ragged {tile.work = #tile.work<all>} loc("work")) domain(%t in #tile.extent<work, 2>, %h in #tile.extent<fixed, 2>) threads 64 blocks 1 {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %slot, %row, %rows, %position = hopper.point %work[%t]
  %part = hopper.load %k[%slot, %position, %h, %c0] along [1, 3] limit(%rows) : !keys -> !hopper.fragment<16x32xbf16, #hopper.spread<8>>
  hopper.store %part, %y[%t, %c0, %c0] along [1, 2] : !hopper.fragment<16x32xbf16, #hopper.spread<8>>, !tile.view<?x16x32xbf16>
  hopper.return
}

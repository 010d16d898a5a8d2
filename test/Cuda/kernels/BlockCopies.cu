// archs: sm_80 sm_90a
//
// A tile of 16-bit numbers from global memory into accumulators' layout and back, whole or in part. `seen` gets what
// each slot holds, one by one.
#include "copy/block.cuh"

template <class Layout, u32 chunk, u32 rows, u32 columns>
MMC_DEVICE void throughFragment(const bf16 *in, bf16 *seen, bf16 *out, const Bounds &limits) {
  BlockFragment<bf16, Layout> fragment;
  load<chunk>(fragment, limits, [&](u32 i, u32 j) { return in + i * columns + j; });
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot) {
    if (Layout::holds(slot)) seen[Layout::element(slot)] = fragment[slot];
  }
  store<chunk>(fragment, limits, [&](u32 i, u32 j) { return out + i * columns + j; });
}

#define BLOCK_COPY(name, chunk, rowWarps, columnWarps, rows, columns)                                                  \
  MMC_KERNEL(128, 1) void name(const bf16 *in, bf16 *seen, bf16 *out, u32 rowLimit, u32 columnLimit) {                 \
    throughFragment<Accumulators<128, rowWarps, columnWarps, rows, columns>, chunk, rows, columns>(                    \
        in, seen, out, bounds(rowLimit, columnLimit));                                                                 \
  }                                                                                                                    \
  MMC_EXPORT(name, 128, 1)
BLOCK_COPY(copyColumn, 8, 4, 1, 64, 48)
BLOCK_COPY(copyGrid, 8, 2, 2, 64, 64)
BLOCK_COPY(copyFours, 4, 1, 4, 32, 64)
BLOCK_COPY(copyFew, 8, 1, 1, 16, 16) // one warp has it all
BLOCK_COPY(copyPairs, 2, 4, 1, 64, 48)

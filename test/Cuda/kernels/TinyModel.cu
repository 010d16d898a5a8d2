// archs: none (products and sums are kept apart by a pragma of clang, for the host's bits)
//
// The kernels of the tiny model (test/Runtime/TinyModel.h) for a device, once per variant of cuda-emu.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"

constexpr u32 kWidth = 8, kVocabulary = 48, kPageTokens = 4, kPagesPerSequence = 16;
struct WorkRecord {
  s32 slot, row, rows, position;
};

#define MMC_VARIANT portable
#include "TinyModel.inc"
#undef MMC_VARIANT
#define MMC_VARIANT sm_90a
#include "TinyModel.inc"
#undef MMC_VARIANT

// What the tests of tensor maps put in place of embed and append: a row comes by a tensor copy.
struct Row {
  alignas(128) float values[kWidth];
  Mbarrier full;
};
MMC_DEVICE float bring(Row &row, const TensorMap &map, u32 number) {
  if (threadIndex() == 0) {
    mbarrierInit(row.full, 1);
    fenceMbarrierInit();
    mbarrierArriveExpect(row.full, sizeof row.values);
    tensorLoad(row.values, map, row.full, 0, number);
  }
  syncThreads();
  mbarrierWait(row.full, 0);
  return row.values[threadIndex() % kWidth];
}
MMC_KERNEL(32, 1)
void mappedEmbed__portable(const s32 *tokens, const float *table, float *hidden, const u32 *extent0,
                           MMC_GRID_CONSTANT TensorMap tableMap) {
  MMC_SHARED(Row, row);
  const u32 t = blockIndex(), i = threadIndex();
  if (t >= *extent0) return;
  const float value = bring(row, tableMap, u32(tokens[t]));
  if (i < kWidth) hidden[t * kWidth + i] = value;
}
MMC_EXPORT(mappedEmbed__portable, 32, 1, Row)
MMC_KERNEL(32, 1)
void mappedAppend__portable(const s32 *positions, const s32 *slots, const s32 *pages, const float *hidden, float *cache,
                            const u32 *extent0, MMC_GRID_CONSTANT TensorMap hiddenMap) {
  MMC_SHARED(Row, row);
  const u32 t = blockIndex(), i = threadIndex();
  if (t >= *extent0) return;
  const float value = bring(row, hiddenMap, t);
  const s64 page = pages[slots[t] * kPagesPerSequence + positions[t] / kPageTokens];
  if (i < kWidth) cache[(page * kPageTokens + positions[t] % kPageTokens) * kWidth + i] = value;
}
MMC_EXPORT(mappedAppend__portable, 32, 1, Row)

// What the tests of errors put in place of embed: it writes behind its memory.
MMC_KERNEL(32, 1) void stray__portable(const s32 *tokens, const float *table, float *hidden, const u32 *extent0) {
  if (threadIndex() == 0) hidden[1024] = table[tokens[0]];
}
MMC_EXPORT(stray__portable, 32, 1)
// A parameter less than the plan says.
MMC_KERNEL(32, 1) void narrow__portable(const s32 *tokens, const float *table, float *hidden) { hidden[0] = table[tokens[0]]; }
MMC_EXPORT(narrow__portable, 32, 1)
// A number where the plan says pointer.
MMC_KERNEL(32, 1) void small__portable(const s32 *tokens, const float *table, float *hidden, u32 extent0) {
  hidden[0] = table[tokens[extent0]];
}
MMC_EXPORT(small__portable, 32, 1)

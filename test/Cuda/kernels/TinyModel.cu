// archs: none (products and sums are kept apart by a pragma of clang, for the host's bits)
//
// The kernels of the tiny model (test/Runtime/TinyModel.h) for a device, once per variant of cuda-emu.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
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

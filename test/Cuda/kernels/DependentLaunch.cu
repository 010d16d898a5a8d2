// archs: sm_90a
//
// A kernel that starts before its predecessor in the stream has ended.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/grid.cuh"
#include "ptx/launch.cuh"

MMC_KERNEL(64, 1) void produce(u32 *data, u32 everyBlock) {
  data[blockIndex() * 64 + threadIndex()] = threadIndex() + 1; // BAD: produced
  if (everyBlock || blockIndex() == 0) gridLaunchDependents();
}
MMC_EXPORT(produce, 64, 1)

// 0: every thread waits; 1: none does; 2: one does, and a barrier tells the others; 3: one does, and there is no barrier; 4: reads first.
MMC_KERNEL(64, 1) void consume(const u32 *data, u32 *results, u32 variant) {
  u32 early = 0;
  if (variant == 4) early = data[threadIndex()]; // BAD: read before the wait
  if (variant == 0 || variant == 4 || (variant >= 2 && threadIndex() == 0)) gridDependencyWait();
  if (variant == 2) syncThreads();
  results[threadIndex()] = data[threadIndex()] + early; // BAD: read without the wait
}
MMC_EXPORT(consume, 64, 1)

// Overwrites what the predecessor may still be writing or reading.
MMC_KERNEL(64, 1) void overwrite(u32 *data, u32 wait) {
  if (wait) gridDependencyWait();
  data[threadIndex()] = 0; // BAD: overwritten before the wait
}
MMC_EXPORT(overwrite, 64, 1)

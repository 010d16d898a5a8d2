// What the benchmark of the emulation's core runs: one thing each, often.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/warp.cuh"

extern "C" void benchmarkYield();

struct Shared {
  u32 words[1024];
  Vector16 vectors[512];
};

/// One thread walks over its own 1,024 words: a load and a store each.
MMC_KERNEL(32, 1) void wordAccesses(u32 rounds) {
  MMC_SHARED(Shared, s);
  if (threadIndex()) return;
  for (u32 i = 0; i < 1024; ++i) s.words[i] = i;
  for (u32 round = 0; round < rounds; ++round)
    for (u32 i = 0; i < 1024; ++i) s.words[i] += round;
}
MMC_EXPORT(wordAccesses, 32, 1, Shared)

/// 256 threads write and read words of one another, a barrier between: the pattern of staging through shared memory.
MMC_KERNEL(256, 1) void staging(u32 *out, u32 rounds) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  u32 sum = 0;
  for (u32 round = 0; round < rounds; ++round) {
    for (u32 i = 0; i < 4; ++i) s.words[i * 256 + t] = round + i;
    syncThreads();
    for (u32 i = 0; i < 4; ++i) sum += s.words[i * 256 + (t ^ 37)];
    syncThreads();
  }
  out[t] = sum;
}
MMC_EXPORT(staging, 256, 1, Shared)

/// All threads read the same vector: sets of readers.
MMC_KERNEL(256, 1) void broadcast(u32 *out, u32 rounds) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  u32 sum = 0;
  for (u32 round = 0; round < rounds; ++round) {
    if (t < 64) s.vectors[t].words[0] = round;
    syncThreads();
    for (u32 i = 0; i < 64; ++i) sum += s.vectors[i].words[0];
    syncThreads();
  }
  out[t] = sum;
}
MMC_EXPORT(broadcast, 256, 1, Shared)

MMC_KERNEL(1024, 1) void barriers(u32 rounds) {
  for (u32 round = 0; round < rounds; ++round) syncThreads();
}
MMC_EXPORT(barriers, 1024, 1)

MMC_KERNEL(32, 1) void shuffles(u32 *out, u32 rounds) {
  u32 value = threadIndex();
  for (u32 round = 0; round < rounds; ++round) value = shuffleXor(value, 1);
  out[threadIndex()] = value;
}
MMC_EXPORT(shuffles, 32, 1)

MMC_KERNEL(32, 1) void yields(u32 rounds) {
  for (u32 round = 0; round < rounds; ++round) benchmarkYield();
}
MMC_EXPORT(yields, 32, 1)

MMC_KERNEL(1024, 1) void empty() {}
MMC_EXPORT(empty, 1024, 1)

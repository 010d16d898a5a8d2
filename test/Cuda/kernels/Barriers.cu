// archs: sm_80 sm_90a
//
// Barriers of a block.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"

struct Shared {
  u32 words[256];
};

// Every phase, threads read what the phase before wrote.
MMC_KERNEL(256, 1) void phases(u32 *out, u32 without) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  u32 value = t;
  for (u32 phase = 0; phase < 4; ++phase) {
    s.words[t] = value;
    syncThreads();
    value = s.words[(t + 32) % 256] + 1; // BAD: read of a phase
    if (!(without && phase == 2)) syncThreads();
  }
  out[t] = value;
}
MMC_EXPORT(phases, 256, 1, Shared)

// Threads that exit are not waited for.
MMC_KERNEL(256, 1) void someExit(u32 *out, u32 leaving) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t < leaving) return;
  s.words[t] = t;
  syncThreads();
  out[t] = s.words[t ^ 1];
}
MMC_EXPORT(someExit, 256, 1, Shared)

// Producers arrive and go on, consumers wait. 0: right; 1: the consumers' count is another; 2: it is no multiple of 32; 3: one producer too few.
MMC_KERNEL(128, 1) void producers(u32 *out, u32 how) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t >= 64) {
    s.words[t] = t;
    if (how == 3 && t >= 96) return;
    barrierArrive(3, 128); // BAD: arrive
  } else {
    barrierSync(3, how == 1 ? 96 : how == 2 ? 100 : 128); // BAD: sync
    out[t] = s.words[t + 64];
  }
}
MMC_EXPORT(producers, 128, 1, Shared)

// Two teams with a barrier each; the second writes what the first reads, which only a common barrier orders.
MMC_KERNEL(128, 1) void teams(u32 *out, u32 together) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex(), team = t / 64;
  s.words[t] = t; // BAD: write of a team
  if (together)
    barrierSync(1, 128);
  else
    barrierSync(1 + team, 64);
  out[t] = s.words[127 - t] + s.words[t ^ 1]; // BAD: read of the other team
}
MMC_EXPORT(teams, 128, 1, Shared)

// The same barrier used by one team after the other: it carries nothing over.
MMC_KERNEL(128, 1) void reused(u32 *out, u32 ordered) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t < 64) {
    s.words[t] = t; // BAD: write before
    barrierSync(4, 64);
    if (ordered) barrierArrive(5, 128);
  } else {
    if (ordered) barrierSync(5, 128);
    barrierSync(4, 64);
    out[t] = s.words[t - 64]; // BAD: read after
  }
}
MMC_EXPORT(reused, 128, 1, Shared)

// Lanes of one warp at two instructions.
MMC_KERNEL(64, 1) void divergent(u32 fine) {
  if (!fine && threadIndex() % 2)
    barrierSync(2, 64); // BAD: odd lanes
  else
    barrierSync(2, 64); // BAD: even lanes
}
MMC_EXPORT(divergent, 64, 1)

MMC_KERNEL(64, 1) void arrivesTwice(u32 twice) {
  if (warpIndex() == 0) {
    barrierArrive(6, 64); // BAD: first arrival
    if (twice) barrierArrive(6, 64); // BAD: second arrival
  } else if (!twice) {
    barrierSync(6, 64);
  }
}
MMC_EXPORT(arrivesTwice, 64, 1)

MMC_KERNEL(64, 1) void leftOver(u32 complete) {
  if (warpIndex() == 0) barrierArrive(7, 64); // BAD: left over
  if (warpIndex() == 1 && complete) barrierSync(7, 64);
}
MMC_EXPORT(leftOver, 64, 1)

MMC_KERNEL(32, 1) void numbers(u32 id) {
  barrierSync(id, 32); // BAD: number
}
MMC_EXPORT(numbers, 32, 1)

// archs: sm_80 sm_90a
//
// What lanes of a warp exchange.
#include "base/types.cuh"
#include "ptx/launch.cuh"
#include "ptx/warp.cuh"

struct Shared {
  u32 words[32];
};

MMC_KERNEL(32, 1) void exchanges(u32 *out) {
  const u32 lane = threadIndex(), value = lane * lane + 7;
  u32 *row = out + lane * 16;
  row[0] = shuffle(value, 5);
  row[1] = shuffle(value, lane + 3, 8);
  row[2] = shuffleUp(value, 3);
  row[3] = shuffleUp(value, 3, 8);
  row[4] = shuffleDown(value, 5);
  row[5] = shuffleDown(value, 5, 16);
  row[6] = shuffleXor(value, 9);
  row[7] = shuffleXor(value, 9, 8);
  row[8] = voteBallot(value % 3 == 0);
  row[9] = voteAll(value >= 7) | voteAll(value > 7) << 1 | voteAny(value > 967) << 2 | voteAny(value == 967) << 3;
  row[10] = electOne();
  row[11] = reduceWarpAdd(value);
  row[12] = u32(reduceWarpMin(s32(lane) - 16));
  row[13] = matchAny(value % 4);
  row[14] = matchAll(value / 1000) & (matchAll(value) ^ ~0u);
  row[15] = transposeMatrix(lane | (lane + 100) << 16);
}
MMC_EXPORT(exchanges, 32, 1)

// Halves of a warp exchange by themselves, at different places.
MMC_KERNEL(32, 1) void halves(u32 *out) {
  const u32 lane = threadIndex();
  u32 value;
  if (lane < 16)
    value = shuffleXor(lane, 1, 32, 0x0000ffff);
  else
    value = reduceWarpAdd(lane, 0xffff0000);
  out[lane] = shuffle(value, 31 - lane);
}
MMC_EXPORT(halves, 32, 1)

// Lanes pass words through shared memory. 0: syncWarp; 1: a shuffle, which orders nothing; 2: nothing; 3: syncWarp, but before
// the last write.
MMC_KERNEL(32, 1) void passes(u32 *out, u32 how) {
  MMC_SHARED(Shared, s);
  const u32 lane = threadIndex();
  s.words[lane] = lane; // BAD: lane writes
  if (how == 0) syncWarp();
  if (how == 1) out[lane] = shuffleXor(lane, 1);
  if (how == 3) {
    syncWarp();
    s.words[lane] = 0; // BAD: lane writes again
  }
  out[lane] = s.words[lane ^ 1]; // BAD: lane reads
}
MMC_EXPORT(passes, 32, 1, Shared)

// 1: a mask without the own lane; 2: a lane of a mask is elsewhere; 3: a lane of a mask has exited; 4: the source lane takes no part.
MMC_KERNEL(32, 1) void masks(u32 *out, u32 how) {
  const u32 lane = threadIndex();
  if (how == 1 && lane == 9) out[lane] = shuffle(lane, 0, 32, 0x000000ff); // BAD: not named
  if (how == 2) {
    if (lane < 8)
      syncWarp(0x000000ff | 0x100); // BAD: waits for another
    else if (lane < 16)
      out[lane] = voteBallot(true, 0x0000ff00 | 0x1); // BAD: waits elsewhere
  }
  if (how == 3) {
    if (lane >= 16) return;
    out[lane] = reduceWarpAdd(1u);
  }
  if (how == 4 && lane < 16) out[lane] = shuffle(lane, 20, 32, 0x0000ffff); // BAD: outside of the mask
}
MMC_EXPORT(masks, 32, 1)

// An aligned instruction in half a warp, or from two places.
MMC_KERNEL(32, 1) void aligned(u32 *out, u32 how) {
  const u32 lane = threadIndex();
  if (how == 1 && lane == 3) return;
  if (how == 2 && lane % 2)
    out[lane] = transposeMatrix(lane); // BAD: odd place
  else
    out[lane] = transposeMatrix(lane + 1); // BAD: even place
}
MMC_EXPORT(aligned, 32, 1)

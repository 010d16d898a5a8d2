// archs: sm_80 sm_90a sm_120a
// Every exchange of ptx/warp.cuh, so that both readers compile it.
#include "ptx/warp.cuh"

MMC_KERNEL(32, 1) void primitives_warp(u32 *out, const u32 *in) {
  const u32 lane = laneIndex(), value = in[lane];
  u32 sum = shuffle(value, 3) + shuffleUp(value, 1) + shuffleDown(value, 2) + shuffleXor(value, 4, 8);
  sum += u32(shuffle(float(value), 3)) + u32(shuffleXor(u64(value) << 20, 1) >> 20);
  sum += u32(shuffleUp(double(value), 1)) + shuffleDown(value, 1, 16, kWholeWarp);
  syncWarp();
  sum += u32(voteAll(value > 1)) + u32(voteAny(value > 2)) + voteBallot(value > 3) + u32(electOne());
  sum += reduceWarpAdd(value) + reduceWarpMin(value) + reduceWarpMax(value);
  sum += u32(reduceWarpAdd(s32(value)) + reduceWarpMin(s32(value)) + reduceWarpMax(s32(value)));
  sum += reduceWarpAnd(value) + reduceWarpOr(value) + reduceWarpXor(value);
  sum += matchAny(value) + matchAll(value) + transposeMatrix(value);
  out[lane] = sum;
}
MMC_EXPORT(primitives_warp, 32, 1)

// archs: sm_80 sm_90a
// One exchange of ptx/warp.cuh per kernel: a word per lane in, a word per lane out.
#include "ptx/integers.cuh"
#include "ptx/warp.cuh"

#define EXCHANGE(name, expression)                                                                                     \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32 count) {                                                    \
    const u32 lane = laneIndex();                                                                                      \
    [[maybe_unused]] const u32 value = in[lane];                                                                       \
    out[lane] = u32(expression);                                                                                       \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)

EXCHANGE(shuffleWarp, shuffle(value, (lane * 5 + 3) % 32))
EXCHANGE(shuffleGroup, shuffle(value, (lane * 3 + 1) % 8, 8))
EXCHANGE(shuffleUpWarp, shuffleUp(value, 3))
EXCHANGE(shuffleUpGroup, shuffleUp(value, 2, 8))
EXCHANGE(shuffleDownWarp, shuffleDown(value, 5))
EXCHANGE(shuffleDownGroup, shuffleDown(value, 3, 16))
EXCHANGE(shuffleXorWarp, shuffleXor(value, 21))
EXCHANGE(shuffleXorGroup, shuffleXor(value, 6, 8))
EXCHANGE(shuffleLong, shuffleXor(u64(value) << 32 | lane, 9) >> 16)
EXCHANGE(voteAllWarp, voteAll(value & 1))
EXCHANGE(voteAnyWarp, voteAny(value == in[17]))
EXCHANGE(voteBallotWarp, voteBallot(value & 2))
EXCHANGE(electedLanes, countBits(voteBallot(electOne())))
EXCHANGE(reduceAddUnsigned, reduceWarpAdd(value))
EXCHANGE(reduceAddSigned, reduceWarpAdd(s32(value)))
EXCHANGE(reduceMinUnsigned, reduceWarpMin(value))
EXCHANGE(reduceMinSigned, reduceWarpMin(s32(value)))
EXCHANGE(reduceMaxUnsigned, reduceWarpMax(value))
EXCHANGE(reduceMaxSigned, reduceWarpMax(s32(value)))
EXCHANGE(reduceAndWarp, reduceWarpAnd(value))
EXCHANGE(reduceOrWarp, reduceWarpOr(value))
EXCHANGE(reduceXorWarp, reduceWarpXor(value))
EXCHANGE(matchAnyWarp, matchAny(value % 5))
EXCHANGE(matchAllDiffer, matchAll(value))
EXCHANGE(matchAllAgree, matchAll(in[3]))
EXCHANGE(transposeWarp, transposeMatrix(value))

/// The lanes of a mask alone: the upper half, and every lane whose number has bit 1.
MMC_KERNEL(32, 1) void maskedLanes(u32 *out, const u32 *in, u32 count) {
  const u32 lane = laneIndex(), value = in[lane];
  u32 upper = 0, pairs = 0;
  if (lane >= 16) upper = shuffleDown(value, 4, 16, 0xffff0000u) + voteBallot(value & 1, 0xffff0000u);
  syncWarp();
  if (lane & 2) pairs = reduceWarpAdd(value, 0xccccccccu) ^ matchAny(value % 3, 0xccccccccu);
  out[lane] = upper ^ pairs;
}
MMC_EXPORT(maskedLanes, 32, 1)

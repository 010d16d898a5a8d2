// archs: none (two variants ask for what ptxas refuses)
//
// Requests for registers. With 384 threads and one block for each SM a thread starts with 168.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/registers.cuh"

MMC_KERNEL(384, 1) void usual(u32) {
  if (threadIndex() / 128 == 0) lowerRegisters<40>();
  else raiseRegisters<232>();
}
MMC_EXPORT(usual, 384, 1)

// 240 + 240 + 40 is more than 3 * 168.
MMC_KERNEL(384, 1) void tooMany(u32 broken) {
  if (threadIndex() / 128 == 0) {
    if (broken) lowerRegisters<40>();
    else lowerRegisters<24>();
  } else {
    raiseRegisters<240>(); // BAD: never free
  }
}
MMC_EXPORT(tooMany, 384, 1)

MMC_KERNEL(384, 1) void raiseThatLowers(u32 broken) {
  if (broken) raiseRegisters<160>(); // BAD: inc below
  else raiseRegisters<168>();
}
MMC_EXPORT(raiseThatLowers, 384, 1)

MMC_KERNEL(384, 1) void lowerThatRaises(u32 broken) {
  if (broken) lowerRegisters<176>(); // BAD: dec above
  else lowerRegisters<168>();
}
MMC_EXPORT(lowerThatRaises, 384, 1)

MMC_KERNEL(128, 1) void oneWarp(u32 broken) {
  if (!broken || threadIndex() < 96) lowerRegisters<64>(); // BAD: one warp does not
}
MMC_EXPORT(oneWarp, 128, 1)

MMC_KERNEL(128, 1) void otherCount(u32 broken) {
  if (!broken || threadIndex() < 96) lowerRegisters<64>(); // BAD: three warps
  else lowerRegisters<72>(); // BAD: the fourth
}
MMC_EXPORT(otherCount, 128, 1)

MMC_KERNEL(128, 1) void halfAWarp(u32 broken) {
  if (broken && threadIndex() % 32 < 16) {
    lowerRegisters<64>(); // BAD: lanes from two places
  } else {
    lowerRegisters<64>(); // BAD: lanes from another place
  }
}
MMC_EXPORT(halfAWarp, 128, 1)

MMC_KERNEL(256, 1) void halfAGroup(u32) { lowerRegisters<64>(); } // BAD: incomplete
MMC_EXPORT(halfAGroup, 256, 1)

// A count that the wrapper would refuse.
MMC_KERNEL(128, 1) void oddCount(u32 count) {
#ifdef __CUDA_ARCH__
  (void)count;
#else
  mmcEmuSetRegisters(count, 0); // BAD: odd count
#endif
}
MMC_EXPORT(oddCount, 128, 1)

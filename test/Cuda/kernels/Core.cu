// archs: none
//
// What the tests of launches and of the scheduler run. The test...() calls are the tests' own.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/warp.cuh"

extern "C" void testTrace(u32 value);
extern "C" void testYield();
extern "C" void testBlockStarts();
extern "C" void testBlockEnds();
extern "C" void testSubmit(u32 value, u32 ordered);
extern "C" void testForce(u32 ticket);
extern "C" void testForget();
extern "C" void testAbandon();

struct Shared {
  u32 words[64];
};

MMC_KERNEL(64, 1) void positions(u32 *out) {
  const u32 block = (blockIndexZ() * blockCountY() + blockIndexY()) * blockCount() + blockIndex();
  out[block * threadCount() + threadIndex()] = blockIndex() | blockIndexY() << 8 | blockIndexZ() << 16 | clusterRank() << 24;
}
MMC_EXPORT(positions, 64, 1)

struct alignas(64) Wide {
  u32 words[32];
};
MMC_KERNEL(32, 1) void parameters(u8 *out, u8 small, Wide wide, u64 large) {
  if (threadIndex()) return;
  out[0] = small;
  out[1] = u8(wide.words[31]);
  out[2] = u8(large >> 56);
  out[3] = u8(reinterpret_cast<u64>(&wide) % 64);
}
MMC_EXPORT(parameters, 32, 1)

// Shared memory has NaN in it until it is written.
MMC_KERNEL(32, 1) void pattern(u32 *out) {
  MMC_SHARED(Shared, s);
  out[threadIndex()] = s.words[threadIndex()];
  s.words[threadIndex()] = 0;
}
MMC_EXPORT(pattern, 32, 1, Shared)

MMC_KERNEL(32, 1) void tooMuchShared() {
  MMC_SHARED(Shared, s); // BAD: shared struct
  s.words[threadIndex()] = 0;
}
MMC_EXPORT(tooMuchShared, 32, 1)

MMC_KERNEL(32, 1) void counted(u32 *out) {
  out[threadIndex()] += 1;
  if (threadIndex() == 0) reinterpret_cast<u8 *>(out)[0] = 1;
}
MMC_EXPORT(counted, 32, 1)

MMC_KERNEL(32, 1) void traced() {
  testTrace(threadIndex());
  testYield();
  testTrace(100 + threadIndex());
}
MMC_EXPORT(traced, 32, 1)

MMC_KERNEL(32, 1) void resident() {
  testBlockStarts();
  for (u32 i = 0; i < 3; ++i) testYield();
  testBlockEnds();
}
MMC_EXPORT(resident, 32, 1)

// One half of the block waits at barrier 1 for all, the other at barrier 2.
MMC_KERNEL(64, 1) void stuck() {
  if (warpIndex() == 0)
    barrierSync(1, 64); // BAD: first half
  else
    barrierSync(2, 64); // BAD: second half
}
MMC_EXPORT(stuck, 64, 1)

// The first blocks wait for blocks that are never resident with them.
MMC_KERNEL(32, 1) void waitsForTheGrid() {
  barrierSync(1, 64); // BAD: alone
}
MMC_EXPORT(waitsForTheGrid, 32, 1)

MMC_KERNEL(32, 1) void operations(u32 how) {
  if (threadIndex()) return;
  for (u32 i = 1; i <= 4; ++i) testSubmit(i, 1);
  testSubmit(5, 0);
  testTrace(100);
  if (how == 1) testForce(3);
  if (how == 2)
    for (u32 i = 0; i < 40; ++i) testYield();
  testTrace(200);
}
MMC_EXPORT(operations, 32, 1)

MMC_KERNEL(32, 1) void forgotten(u32 fine) {
  if (threadIndex() == 7 && !fine) testForget(); // BAD: nobody waits
}
MMC_EXPORT(forgotten, 32, 1)

MMC_KERNEL(64, 1) void abandoned() {
  testTrace(threadIndex());
  if (threadIndex() == 5) testAbandon();
  syncThreads();
  testTrace(100);
}
MMC_EXPORT(abandoned, 64, 1)

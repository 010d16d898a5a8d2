// archs: sm_90a
//
// What the tests of the emulated driver launch.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"

MMC_KERNEL(64, 1) void fillWith(u32 *out, u32 value) { out[blockIndex() * threadCount() + threadIndex()] = value; }
MMC_EXPORT(fillWith, 64, 1)

MMC_KERNEL(64, 1) void addTo(u32 *out, const u32 *in, u32 value) {
  const u32 i = blockIndex() * threadCount() + threadIndex();
  out[i] = in[i] + value; // BAD: reads what another stream writes
}
MMC_EXPORT(addTo, 64, 1)

// out[i] = 2 out[i] + value: shows in which order launches ran.
MMC_KERNEL(64, 1) void appendBit(u32 *out, u32 value) {
  const u32 i = blockIndex() * threadCount() + threadIndex();
  out[i] = 2 * out[i] + value;
}
MMC_EXPORT(appendBit, 64, 1)

struct Large {
  u32 words[16 << 10];
};
MMC_KERNEL(64, 1) void reverseBlock(u32 *data) {
  MMC_SHARED(Large, s);
  s.words[threadIndex()] = data[threadIndex()];
  syncThreads();
  data[threadIndex()] = s.words[63 - threadIndex()];
}
MMC_EXPORT(reverseBlock, 64, 1, Large)

struct Pair {
  u32 first, second;
  u64 third;
};
MMC_KERNEL(64, 1) void mixedParameters(u8 *out, u8 small, Pair pair, u16 two) {
  if (threadIndex() == 0) out[0] = u8(small + pair.first + pair.second + pair.third + two);
}
MMC_EXPORT(mixedParameters, 64, 1)

MMC_KERNEL(64, 1) MMC_CLUSTER(2) void inClusters(u32 *out) {
  out[blockIndex() * threadCount() + threadIndex()] = clusterRank() + 1;
}
MMC_EXPORT_CLUSTER(inClusters, 64, 1, 2)

MMC_KERNEL(64, 1) void ranksOf(u32 *out) { out[blockIndex() * threadCount() + threadIndex()] = clusterSize(); }
MMC_EXPORT(ranksOf, 64, 1)

// All threads write one word, which is a race, and the same value, so nothing else shows it.
MMC_KERNEL(64, 1) void allWriteOne(u32 *out) { out[0] = 7; } // BAD: race
MMC_EXPORT(allWriteOne, 64, 1)

MMC_KERNEL(64, 1) void writeAt(u32 *out, u32 index) {
  if (threadIndex() == 0) out[index] = 7; // BAD: out of bounds
}
MMC_EXPORT(writeAt, 64, 1)

MMC_KERNEL(64, 1) void misplacedBy(u8 *out, u32 offset) {
  if (threadIndex() == 0) *reinterpret_cast<u32 *>(out + offset) = 7; // BAD: misaligned
}
MMC_EXPORT(misplacedBy, 64, 1)

MMC_KERNEL(64, 1) void waitAlone() {
  if (threadIndex() < 32) barrierSync(3, 64); // BAD: deadlock
}
MMC_EXPORT(waitAlone, 64, 1)

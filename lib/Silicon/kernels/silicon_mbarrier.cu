// archs: sm_90a
// mbarriers: what tests of a phase answer while arrivals and bytes come in, as seen by one thread; and phases that many
// threads pass.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"

struct Shared {
  alignas(128) u32 words[64];
  Mbarrier full, empty;
};

/// One thread: answers of tests of parity 0 and 1 after each step, two bits each.
MMC_KERNEL(32, 1) void phaseAnswers(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  if (threadIndex() != 0) return;
  u32 step = 0;
  const auto look = [&] {
    const u32 even = mbarrierTest(s.full, 0), odd = mbarrierTest(s.full, 1);
    out[step++] = even | odd << 1;
  };
  mbarrierInit(s.full, 3);
  fenceMbarrierInit();
  look(); // nothing has come: the phase before the first counts as complete
  mbarrierArrive(s.full);
  look();
  mbarrierArrive(s.full, 2);
  look(); // phase 0 is complete
  mbarrierArriveExpect(s.full, 256);
  mbarrierArrive(s.full, 2);
  look(); // all have arrived, 256 bytes have not
  bulkLoad(s.words, in, 256, s.full);
  mbarrierWait(s.full, 1);
  look(); // phase 1 is complete
  mbarrierExpect(s.full, 128);
  bulkLoad(s.words, in + 64, 128, s.full);
  mbarrierArrive(s.full, 3);
  mbarrierWait(s.full, 0);
  look(); // phase 2 is complete
  MMC_NO_UNROLL for (u32 i = 0; i < 64; ++i) out[8 + i] = s.words[i];
  mbarrierInvalidate(s.full);
}
MMC_EXPORT(phaseAnswers, 32, 1, Shared)

/// A producer warp and a consumer warp hand 64 words back and forth, four times; the consumer sums what it finds.
MMC_KERNEL(64, 1) void ringOfOne(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 32);
    mbarrierInit(s.empty, 32);
    fenceMbarrierInit();
  }
  syncThreads();
  const u32 lane = threadIndex() % 32;
  u32 sum = 0;
  MMC_NO_UNROLL for (u32 turn = 0; turn < 4; ++turn) {
    if (threadIndex() < 32) {
      mbarrierWait(s.empty, ~turn & 1);
      s.words[lane] = in[turn * 64 + lane];
      s.words[lane + 32] = in[turn * 64 + lane + 32];
      mbarrierArrive(s.full);
    } else {
      while (!mbarrierTry(s.full, turn & 1)) {
      }
      sum = sum * 3 + s.words[63 - lane] + 5 * s.words[lane];
      mbarrierArrive(s.empty);
    }
  }
  if (threadIndex() >= 32) out[lane] = sum;
}
MMC_EXPORT(ringOfOne, 64, 1, Shared)

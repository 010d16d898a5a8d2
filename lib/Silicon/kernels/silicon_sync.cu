// archs: sm_80 sm_90a
// Barriers of a block: everybody, named ones of a team, and producers that only arrive.
#include "ptx/barrier.cuh"

struct Shared {
  u32 words[128];
};

/// Two teams of 64 turn their words round within the team, through barriers of their own, then all of them.
MMC_KERNEL(128, 1) void teams(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  const u32 thread = threadIndex(), team = thread / 64, first = team * 64;
  s.words[thread] = in[thread];
  barrierSync(1 + team, 64);
  const u32 turned = s.words[first + (thread + 37) % 64];
  barrierSync(1 + team, 64);
  s.words[thread] = turned;
  syncThreads();
  out[thread] = s.words[127 - thread];
}
MMC_EXPORT(teams, 128, 1, Shared)

/// Three warps arrive, the fourth waits and reads what they wrote.
MMC_KERNEL(128, 1) void producers(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  const u32 thread = threadIndex();
  if (thread < 96) {
    s.words[thread] = in[thread];
    barrierArrive(5, 128);
  } else {
    barrierSync(5, 128);
    out[thread - 96] = s.words[thread - 96] + s.words[thread - 64] * 3 + s.words[thread - 32] * 5;
  }
}
MMC_EXPORT(producers, 128, 1, Shared)

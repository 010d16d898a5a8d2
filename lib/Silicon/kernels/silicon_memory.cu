// archs: sm_80 sm_90a
// Loads and stores of one thread: every width with every cache hint, global and shared, and ordered ones. 64 words per
// lane out, of 4 words per lane in.
#include "ptx/async_copy.cuh"
#include "ptx/memory.cuh"
#include "ptx/warp.cuh"

struct Shared {
  alignas(16) Vector16 lanes[32];
};

template <Cache cache> MMC_DEVICE void widths(u32 *out, const u32 *in) {
  const Vector16 all = loadGlobal<cache>(reinterpret_cast<const Vector16 *>(in));
  const u64 pair = loadGlobal<cache>(reinterpret_cast<const u64 *>(in) + 1);
  const u16 half = loadGlobal<cache>(reinterpret_cast<const u16 *>(in) + 3);
  storeGlobal<cache>(reinterpret_cast<Vector16 *>(out), all);
  storeGlobal<cache>(reinterpret_cast<u64 *>(out) + 2, pair);
  storeGlobal<cache>(out + 6, loadGlobal<cache>(in + 2));
  storeGlobal<cache>(reinterpret_cast<u16 *>(out) + 14, half);
  storeGlobal<cache>(reinterpret_cast<u16 *>(out) + 15, u16(0x1234));
}

#define WIDTHS(name, cache)                                                                                            \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32) {                                                          \
    widths<cache>(out + threadIndex() * 8, in + threadIndex() * 4);                                                    \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)
WIDTHS(widthsNormal, Cache::normal)
WIDTHS(widthsNoAllocate, Cache::noAllocate)
WIDTHS(widthsEvictFirst, Cache::evictFirst)
WIDTHS(widthsEvictLast, Cache::evictLast)
WIDTHS(widthsStreaming, Cache::streaming)

/// Loads through the read-only path.
MMC_KERNEL(32, 1) void widthsReadOnly(u32 *out, const u32 *in, u32) {
  u32 *own = out + threadIndex() * 8;
  const u32 *from = in + threadIndex() * 4;
  prefetchL2(from);
  const Vector16 all = loadReadOnly(reinterpret_cast<const Vector16 *>(from));
  const u64 pair = loadReadOnly<Cache::noAllocate>(reinterpret_cast<const u64 *>(from) + 1);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) own[i] = all.words[i];
  own[4] = u32(pair);
  own[5] = u32(pair >> 32);
  own[6] = loadReadOnly<Cache::evictFirst>(from + 2);
  own[7] = u32(loadReadOnly<Cache::evictLast>(reinterpret_cast<const u16 *>(from) + 3)) | 0x12340000u;
}
MMC_EXPORT(widthsReadOnly, 32, 1)

/// Through shared memory, with other widths on each side.
MMC_KERNEL(32, 1) void widthsShared(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  u32 *own = out + threadIndex() * 8;
  const u32 *from = in + threadIndex() * 4;
  Vector16 &lane = s.lanes[threadIndex()];
  u8 *bytes = reinterpret_cast<u8 *>(&lane);
  storeShared(bytes, u64(from[0]) | u64(from[1]) << 32);
  storeShared(bytes + 8, from[2]);
  storeShared(bytes + 12, u16(from[3]));
  storeShared(bytes + 14, u16(from[3] >> 16));
  const Vector16 all = loadShared<Vector16>(bytes);
  const u64 pair = loadShared<u64>(bytes + 8);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) own[i] = all.words[i];
  own[4] = u32(pair);
  own[5] = u32(pair >> 32);
  own[6] = loadShared<u32>(bytes + 8);
  own[7] = u32(loadShared<u16>(bytes + 6)) | 0x12340000u;
}
MMC_EXPORT(widthsShared, 32, 1, Shared)

/// A chain of lanes: each waits for the word of the lane before it, and releases the next.
MMC_KERNEL(64, 1) void orderedChain(u32 *out, const u32 *in, u32) {
  const u32 thread = threadIndex();
  u32 *flag = out + 128;
  if (thread == 0) {
    out[0] = in[0];
    out[1] = in[1];
    storeRelease(flag, 1u);
  } else if (thread == 32) {
    while (loadAcquire(flag) != 1u) {
    }
    out[2] = out[0] * 2 + out[1];
    storeRelease<Scope::system>(reinterpret_cast<u64 *>(out + 130), u64(in[2]) << 32 | 5u);
    out[3] = u32(loadRelaxed(reinterpret_cast<const u64 *>(out + 130)) >> 32);
  }
}
MMC_EXPORT(orderedChain, 64, 1)

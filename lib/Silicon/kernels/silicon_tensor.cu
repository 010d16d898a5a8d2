// archs: sm_90a
// Tensor copies: the map is the case's, so every swizzle, element, fill and border goes through the same kernels.
// Coordinates (5 words) and the bytes of the box come in first; the tensor that is read begins at word 32.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/tensor_reduce.cuh"

constexpr u32 kThreads = 64;

struct Shared {
  alignas(1024) u32 box[4096];
  Mbarrier full;
};

MMC_DEVICE void begin(Shared &s) {
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
  }
  syncThreads();
}

/// Shared memory as it lies goes out.
#define BOX_IN(name, ...)                                                                                              \
  MMC_KERNEL(kThreads, 1) void name(u32 *out, const u32 *in, u32 count, MMC_GRID_CONSTANT TensorMap map) {             \
    MMC_SHARED(Shared, s);                                                                                             \
    begin(s);                                                                                                          \
    if (threadIndex() == 0) {                                                                                          \
      mbarrierArriveExpect(s.full, in[5]);                                                                             \
      __VA_ARGS__;                                                                                                     \
    }                                                                                                                  \
    mbarrierWait(s.full, 0);                                                                                           \
    MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += kThreads) out[i] = s.box[i];                             \
  }                                                                                                                    \
  MMC_EXPORT(name, kThreads, 1, Shared)
BOX_IN(boxIn1, tensorLoad(s.box, map, s.full, in[0]))
BOX_IN(boxIn2, tensorLoad(s.box, map, s.full, in[0], in[1]))
BOX_IN(boxIn3, tensorLoad(s.box, map, s.full, in[0], in[1], in[2]))
BOX_IN(boxIn4, tensorLoad(s.box, map, s.full, in[0], in[1], in[2], in[3]))
BOX_IN(boxIn5, tensorLoad(s.box, map, s.full, in[0], in[1], in[2], in[3], in[4]))
BOX_IN(boxInFirst, prefetchTensorMap(map); tensorPrefetch(map, in[0], in[1]);
       tensorLoadPolicy(s.box, map, s.full, policyEvictFirst(), in[0], in[1]))

/// Words from word 32 on go to shared memory as they are, and out as a box.
#define BOX_OUT(name, ...)                                                                                             \
  MMC_KERNEL(kThreads, 1) void name(u32 *out, const u32 *in, u32 count, MMC_GRID_CONSTANT TensorMap map) {             \
    MMC_SHARED(Shared, s);                                                                                             \
    MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += kThreads) s.box[i] = in[32 + i];                         \
    fenceProxyAsync();                                                                                                 \
    syncThreads();                                                                                                     \
    if (threadIndex() == 0) {                                                                                          \
      __VA_ARGS__;                                                                                                     \
      bulkCommit();                                                                                                    \
      bulkWait<0>();                                                                                                   \
    }                                                                                                                  \
  }                                                                                                                    \
  MMC_EXPORT(name, kThreads, 1, Shared)
BOX_OUT(boxOut1, tensorStore(map, s.box, in[0]))
BOX_OUT(boxOut2, tensorStore(map, s.box, in[0], in[1]))
BOX_OUT(boxOut3, tensorStore(map, s.box, in[0], in[1], in[2]))
BOX_OUT(boxOut4, tensorStore(map, s.box, in[0], in[1], in[2], in[3]))
BOX_OUT(boxOut5, tensorStore(map, s.box, in[0], in[1], in[2], in[3], in[4]))
BOX_OUT(boxAdd2, tensorReduceAdd(map, s.box, in[0], in[1]))

/// A cluster of two: block r loads the box r rows further down, for both; each counts and hands out both boxes.
MMC_KERNEL(kThreads, 1)
MMC_CLUSTER(2) void boxInMulticast(u32 *out, const u32 *in, u32 count, MMC_GRID_CONSTANT TensorMap map) {
  MMC_SHARED(Shared, s);
  begin(s);
  const u32 rank = clusterRank();
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, 2 * in[5]);
  clusterSync();
  if (threadIndex() == 0) tensorLoadMulticast(s.box + rank * 2048, map, s.full, u16(3), in[0], in[1] + rank);
  mbarrierWait(s.full, 0);
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < 2 * count; i += kThreads) out[rank * 2 * count + i] =
      s.box[i / count * 2048 + i % count];
  clusterSync();
}
MMC_EXPORT_CLUSTER(boxInMulticast, kThreads, 1, 2, Shared)

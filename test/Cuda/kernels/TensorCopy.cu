// archs: none (variants take addresses, ranks and maps that the hardware refuses)
//
// Boxes in and out, and one kernel per rule of tensor copies.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/tensor_reduce.cuh"

constexpr u32 kCapacity = 32768;

struct Shared {
  alignas(1024) u8 box[kCapacity];
  Mbarrier full;
};
/// Coordinates of a box.
struct Place {
  s32 at[5];
};

MMC_DEVICE void begin(Shared &s) {
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
  }
  syncThreads();
}

MMC_DEVICE void loadOf(u32 rank, void *to, const TensorMap &map, Mbarrier &full, const Place &p) {
  if (rank == 1) tensorLoad(to, map, full, p.at[0]);
  if (rank == 2) tensorLoad(to, map, full, p.at[0], p.at[1]); // BAD: load of a box
  if (rank == 3) tensorLoad(to, map, full, p.at[0], p.at[1], p.at[2]); // BAD: load of three axes
  if (rank == 4) tensorLoad(to, map, full, p.at[0], p.at[1], p.at[2], p.at[3]);
  if (rank == 5) tensorLoad(to, map, full, p.at[0], p.at[1], p.at[2], p.at[3], p.at[4]);
}
MMC_DEVICE void storeOf(u32 rank, const TensorMap &map, const void *from, const Place &p) {
  if (rank == 1) tensorStore(map, from, p.at[0]);
  if (rank == 2) tensorStore(map, from, p.at[0], p.at[1]); // BAD: store of a box
  if (rank == 3) tensorStore(map, from, p.at[0], p.at[1], p.at[2]);
  if (rank == 4) tensorStore(map, from, p.at[0], p.at[1], p.at[2], p.at[3]);
  if (rank == 5) tensorStore(map, from, p.at[0], p.at[1], p.at[2], p.at[3], p.at[4]);
}

/// Loads a box to `offset` in shared memory and hands out shared memory as it lies.
MMC_KERNEL(64, 1)
void boxIn(MMC_GRID_CONSTANT TensorMap map, u32 rank, Place place, u32 bytes, u32 offset, u8 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, bytes);
    loadOf(rank, s.box + offset, map, s.full, place);
  }
  mbarrierWait(s.full, 0);
  for (u32 i = threadIndex(); i < bytes; i += 64) out[i] = s.box[offset + i];
}
MMC_EXPORT(boxIn, 64, 1, Shared)

/// Stores what plain code has put into shared memory as a box, or adds it. 1: without a fence; 2: but not into
/// its last 16 bytes.
MMC_KERNEL(64, 1)
void boxOut(u32 broken, MMC_GRID_CONSTANT TensorMap map, u32 rank, Place place, u32 bytes, u32 add, const u8 *in) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < (broken == 2 ? bytes - 16 : bytes); i += 64) s.box[i] = in[i];
  if (broken != 1) fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    if (!add) storeOf(rank, map, s.box, place);
    if (add) tensorReduceAdd(map, s.box, place.at[0], place.at[1]); // BAD: add of a box
    bulkCommit();
    bulkWait<0>();
  }
}
MMC_EXPORT(boxOut, 64, 1, Shared)

/// Each block moves one box from one tensor to the other: the same box, through the same swizzle, from and to another
/// place in shared memory.
MMC_KERNEL(32, 1)
void boxThrough(MMC_GRID_CONSTANT TensorMap from, MMC_GRID_CONSTANT TensorMap to, u32 columns, u32 rows, u32 across,
                u32 bytes) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    const u32 column = blockIndex() % across * columns, row = blockIndex() / across * rows;
    mbarrierArriveExpect(s.full, bytes);
    tensorLoad(s.box, from, s.full, column, row);
    mbarrierWait(s.full, 0);
    tensorStore(to, s.box, column, row);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
MMC_EXPORT(boxThrough, 32, 1, Shared)

/// The map lies elsewhere than a map may: 1 in shared memory, 2 not at a multiple of 64, 3 it is no map, 4 nothing is
/// there.
MMC_KERNEL(32, 1) void mapPlace(u32 broken, MMC_GRID_CONSTANT TensorMap map, const TensorMap *global, u32 bytes) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    u64 *copy = reinterpret_cast<u64 *>(s.box + 16384);
    for (u32 i = 0; i < 16; ++i) copy[i] = map.opaque[i];
    fenceProxyAsync();
    const TensorMap *use = global;
    if (broken == 1) use = reinterpret_cast<const TensorMap *>(copy);
    if (broken == 2) use = reinterpret_cast<const TensorMap *>(reinterpret_cast<const u8 *>(global) + 32);
    if (broken == 3) use = global + 1;
    if (broken == 4) use = global + (u64(1) << 30);
    mbarrierArriveExpect(s.full, bytes);
    tensorLoad(s.box, *use, s.full, 0, 0); // BAD: map out of place
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(mapPlace, 32, 1, Shared)

/// A kernel writes the map that it uses: 1 without a fence, 2 with the fence of another proxy, 3 with a fence for another
/// map, 4 in one thread without a fence, 5 in one thread with it.
MMC_KERNEL(64, 1) void mapWritten(u32 broken, MMC_GRID_CONSTANT TensorMap map, TensorMap *global, u32 bytes) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    for (u32 i = 0; i < 16; ++i) global->opaque[i] = map.opaque[i]; // BAD: map written
    fenceTensorMapRelease();
  }
  syncThreads();
  if (threadIndex() == (broken < 4 ? 32 : 0)) {
    if (broken == 0 || broken == 5) fenceTensorMapAcquire(*global);
    if (broken == 2) fenceProxyAsync();
    if (broken == 3) fenceTensorMapAcquire(global[1]);
    mbarrierArriveExpect(s.full, bytes);
    tensorLoad(s.box, *global, s.full, 0, 0); // BAD: map used
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(mapWritten, 64, 1, Shared)

/// Writes a map again that is in use: 1 before the copy is complete.
MMC_KERNEL(32, 1) void mapReused(u32 broken, MMC_GRID_CONSTANT TensorMap map, TensorMap *global, u32 bytes) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, bytes);
    tensorLoad(s.box, *global, s.full, 0, 0);
    if (!broken) mbarrierWait(s.full, 0);
    global->opaque[0] = map.opaque[0]; // BAD: map in use written
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(mapReused, 32, 1, Shared)

/// Uses a map that an earlier launch has written.
MMC_KERNEL(32, 1) void mapUsed(const TensorMap *global, u32 bytes) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, bytes);
    tensorLoad(s.box, *global, s.full, 0, 0);
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(mapUsed, 32, 1, Shared)

/// A cluster of two: each block loads half of the rows for both. 1: one waits for one half only.
MMC_KERNEL(64, 1) MMC_CLUSTER(2)
void halves(u32 broken, MMC_GRID_CONSTANT TensorMap map, u32 rows, u32 bytes, u8 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, broken == 1 ? bytes : 2 * bytes);
  clusterSync();
  const u32 rank = clusterRank();
  if (threadIndex() == 0) tensorLoadMulticast(s.box + rank * bytes, map, s.full, u16(3), 0, rank * rows); // BAD: half
  mbarrierWait(s.full, 0);
  for (u32 i = threadIndex(); i < 2 * bytes; i += 64) out[rank * 2 * bytes + i] = s.box[i];
  clusterSync();
}
MMC_EXPORT_CLUSTER(halves, 64, 1, 2, Shared)

MMC_KERNEL(32, 1) void prefetches(u32 rank, u32 shift, MMC_GRID_CONSTANT TensorMap map) {
  if (threadIndex() == 0) {
    const u8 *bytes = reinterpret_cast<const u8 *>(&map) + shift;
    prefetchTensorMap(*reinterpret_cast<const TensorMap *>(bytes)); // BAD: prefetch of a map
    if (rank == 2) tensorPrefetch(map, -1, 1000000);
    if (rank == 3) tensorPrefetch(map, 0, 0, 0); // BAD: prefetch of a box
  }
}
MMC_EXPORT(prefetches, 32, 1)

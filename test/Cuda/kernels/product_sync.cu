// archs: sm_90a
//
// What blocks do together: a product by a cluster of two that share an operand by multicast, sums over blocks behind a
// counted flag, and teams within a block.
#include "copy/fragments.cuh"
#include "copy/tensor.cuh"
#include "mma/warpgroup.cuh"
#include "sync/ring.cuh"
#include "sync/team.cuh"

struct MulticastStage {
  Tile<bf16, 64, 64> a;    // this block's rows
  Tile<bf16, 64, 64> b[2]; // both blocks have both; each loads one of them for the two
};
struct MulticastShared {
  Ring<MulticastStage, 2> ring;
};

/// out[128][128] = a[128][depth] b[128][depth]^T; each block of the cluster has 64 of the rows.
MMC_KERNEL(256, 1)
MMC_CLUSTER(2)
void product_multicast(MMC_GRID_CONSTANT TensorMap a, MMC_GRID_CONSTANT TensorMap b, float *out, u32 depth) {
  MMC_SHARED(MulticastShared, shared);
  const u32 rank = clusterRank();
  if (threadIndex() == 0) shared.ring.initialise(1, 2);
  clusterSync();
  Position<2> at;
  if (warpgroupIndex() == 0) {
    if (threadIndex() == 0) {
      MMC_NO_UNROLL for (u32 k = 0; k < depth; k += 64) {
        // Both blocks have released the stage: what this block sends goes to both.
        shared.ring.waitEmpty<Scope::cluster>(at);
        MulticastStage &stage = shared.ring.stages[at.stage];
        shared.ring.expect(at, stage.a.kBytes + 2 * stage.b[0].kBytes);
        tensorLoadTile(stage.a, a, shared.ring.full[at.stage], s32(k), s32(rank * 64));
        loadMulticast(stage.b[rank], b, shared.ring.full[at.stage], u16(3), s32(k), s32(rank * 64));
        at.advance();
      }
    }
  } else {
    Fragment<64, 64, Wgmma> sum[2];
    MMC_NO_UNROLL for (u32 k = 0; k < depth; k += 64) {
      shared.ring.waitFull(at);
      const MulticastStage &stage = shared.ring.stages[at.stage];
      fence(sum[0], sum[1]);
      multiply(sum[0], kMajor(stage.a), kMajor(stage.b[0]), k > 0);
      multiply(sum[1], kMajor(stage.a), kMajor(stage.b[1]), k > 0);
      commit();
      wait<0>(sum[0], sum[1]);
      if (threadIndex() % 128 < 2) shared.ring.releaseOf(at, threadIndex() % 128);
      at.advance();
    }
    MMC_UNROLL for (u32 half = 0; half < 2; ++half) {
      forEach(sum[half],
              [&](float &value, u32 row, u32 column) { out[(rank * 64 + row) * 128 + half * 64 + column] = value; });
    }
  }
  // A block lives until the other has stopped reaching into it.
  clusterSync();
}
MMC_EXPORT_CLUSTER(product_multicast, 256, 1, 2, MulticastShared)

struct SumShared {
  alignas(16) float packed[256];
  Mbarrier full;
  float scratch[4];
};

/// out[0] = the sum of all blocks' 256 numbers: a partial sum each, the last block adds them in order.
MMC_KERNEL(128, 1) void sum_blocks(const float *numbers, float *partial, u32 *flag, float *out) {
  MMC_SHARED(SumShared, shared);
  if (threadIndex() == 0) {
    mbarrierInit(shared.full, 1);
    fenceMbarrierInit();
    mbarrierArriveExpect(shared.full, sizeof(shared.packed));
    loadBulk(shared.packed, numbers + 256 * blockIndex(), shared.full);
  }
  syncThreads();
  mbarrierWait(shared.full, 0);
  const float mine = shared.packed[threadIndex()] + shared.packed[threadIndex() + 128];
  const float sum = blockSum<128>(mine, shared.scratch);
  if (threadIndex() == 0) {
    partial[blockIndex()] = sum;
    countFlag(flag);
    if (blockIndex() == blockCount() - 1) {
      waitUntil(flag, blockCount());
      float total = 0.0f;
      for (u32 block = 0; block < blockCount(); ++block) total += partial[block];
      *out = total;
      releaseFlag(flag, 0);
    }
  }
}
MMC_EXPORT(sum_blocks, 128, 1, SumShared)

struct TeamShared {
  u32 words[2][64];
  u32 handed[64];
};

/// Two teams of two warps exchange within themselves, and the first hands over to the second.
MMC_KERNEL(128, 1) void team_exchange(u32 *out) {
  MMC_SHARED(TeamShared, shared);
  const u32 team = threadIndex() / 64, member = threadIndex() % 64;
  using First = Team<1, 64>;
  using Second = Team<2, 64>;
  using Both = Team<3, 128>;
  shared.words[team][member] = threadIndex();
  if (team == 0) {
    First::sync();
    shared.handed[member] = shared.words[0][63 - member];
    Both::arrive();
  } else {
    Second::sync();
    out[member] = shared.words[1][63 - member];
    Both::sync();
    out[64 + member] = shared.handed[member];
  }
}
MMC_EXPORT(team_exchange, 128, 1, TeamShared)

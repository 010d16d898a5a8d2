// Roles of a block: some warps only fill shared tiles, the others compute, and rings of stages lie between them.
// sm_90a.
//
//     filling                                        computing
//     Filler<4> left(shared.leftRing);               Reader<4> left(shared.leftRing);
//     const u32 stage = left.begin();                const u32 stage = left.wait();
//     copyTile<128, 256>(shared.left[stage], ...);     ... reads shared.left[stage] ...
//     left.end();                                    left.release();
//
// By tensor copies, which one thread starts:
//
//     const u32 stage = left.begin();
//     Mbarrier &full = left.expect(8192);
//     tensorLoadTile(shared.left[stage], map, full, 0, 0);   // 8192 bytes in all
//     left.advance();
//
// A stage may get both: then all threads begin, one expects and starts tensor copies, and all end.
//
// Invariant: both sides go through the stages in the same order; a reader releases each stage once, in the order in
// which it waited for them, after its last read (of wgmma: after the wait).
#pragma once

#include "sync/ring.cuh"

/// The barriers of a ring whose stages are arrays of tiles somewhere else in the block's shared memory.
template <u32 stages> struct RingBarriers {
  Mbarrier full[stages], empty[stages];

  /// By one thread, before a barrier of the block: a stage is full after `fillers` arrivals, one of each thread whose
  /// copies are complete and one of a thread that expects bytes, and empty when each of `readers` warps has read it.
  MMC_DEVICE void initialise(u32 fillers, u32 readers) { initialiseStages(full, empty, fillers, readers); }
};

/// Where the warps that fill stand in a ring.
template <u32 stages> struct Filler {
  RingBarriers<stages> &ring;
  Position<stages> at;
  MMC_DEVICE explicit Filler(RingBarriers<stages> &ring) : ring(ring) {}

  /// The next stage, when all readers have released it.
  MMC_DEVICE u32 begin() {
    mbarrierWait(ring.empty[at.stage], at.phase ^ 1);
    return at.stage;
  }
  /// Arrives, and lets the stage be full only when so many bytes have come by tensor copies on this barrier.
  MMC_DEVICE Mbarrier &expect(u32 bytes) {
    mbarrierArriveExpect(ring.full[at.stage], bytes);
    return ring.full[at.stage];
  }
  /// The stage is full when the copies that this thread has started so far are complete, and those of the others.
  MMC_DEVICE void end() {
    mbarrierArriveOnCopies(ring.full[at.stage]);
    at.advance();
  }
  /// Of a stage whose copies all count bytes, instead of end().
  MMC_DEVICE void advance() { at.advance(); }
};

/// Where the warps that compute stand in a ring.
template <u32 stages> struct Reader {
  RingBarriers<stages> &ring;
  Position<stages> at, released;
  MMC_DEVICE explicit Reader(RingBarriers<stages> &ring) : ring(ring) {}

  /// The next stage, when it is full.
  MMC_DEVICE u32 wait() {
    mbarrierWait(ring.full[at.stage], at.phase);
    const u32 stage = at.stage;
    at.advance();
    return stage;
  }
  /// The oldest stage that was not released: this warp reads it no more.
  MMC_DEVICE void release() {
    syncWarp();
    if (laneIndex() == 0) mbarrierArrive(ring.empty[released.stage]);
    released.advance();
  }
};

// A ring of stages between a producer (copies) and consumers (products), and where each of them stands in it. sm_90.
//
//     producer                                   consumer
//     Position<n> at;                            Position<n> at;
//     ring.waitEmpty(at);                        ring.waitFull(at);
//     ring.expect(at, bytes);                    ... reads ring.stages[at.stage] ...
//     load(..., ring.full[at.stage], ...);       ring.release(at);
//     at.advance();                              at.advance();
//
// Invariant: everybody walks the stages in the same order; a stage is released once per trip by each of the consumers
// that initialise() counted, after its last read (of wgmma: after the wait); the producer is at most n stages ahead, so
// a parity never aliases.
#pragma once

#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"

/// A stage, and the parity of the trip around the ring.
template <u32 count> struct Position {
  u32 stage = 0, phase = 0;

  MMC_DEVICE void advance() {
    if (++stage == count) {
      stage = 0;
      phase ^= 1;
    }
  }
  /// The stage before; its phase does not matter to release().
  MMC_DEVICE Position previous() const { return stage ? Position{stage - 1, phase} : Position{count - 1, phase ^ 1}; }
};

/// Makes the barriers of a ring: `fills` arrivals make a stage full, `releases` make it empty. By one thread, before a
/// barrier of the block (of the cluster, where other blocks use it).
template <u32 count>
MMC_DEVICE void initialiseStages(Mbarrier (&full)[count], Mbarrier (&empty)[count], u32 fills, u32 releases) {
  MMC_UNROLL for (u32 i = 0; i < count; ++i) {
    mbarrierInit(full[i], fills);
    mbarrierInit(empty[i], releases);
  }
  fenceMbarrierInit();
}

template <class StageType, u32 count> struct Ring {
  using Stage = StageType;
  using Place = Position<count>;
  static constexpr u32 kStages = count;

  StageType stages[count];
  Mbarrier full[count], empty[count];

  /// `fills`: 1 for expect(), plus one per thread that arrives on its copies.
  MMC_DEVICE void initialise(u32 fills, u32 releases) { initialiseStages(full, empty, fills, releases); }

  /// Until the stage's consumers have released it; the first trip finds it empty.
  template <Scope scope = Scope::block> MMC_DEVICE void waitEmpty(Place at) {
    mbarrierWait<scope>(empty[at.stage], at.phase ^ 1);
  }
  /// Announces the bytes that the copies will bring, and arrives.
  MMC_DEVICE void expect(Place at, u32 bytes) { mbarrierArriveExpect(full[at.stage], bytes); }

  /// Until the stage's bytes are there.
  MMC_DEVICE void waitFull(Place at) { mbarrierWait(full[at.stage], at.phase); }
  MMC_DEVICE void release(Place at) { mbarrierArrive(empty[at.stage]); }
  /// The stage of another block of the cluster, where its producer fills this block's stage too.
  MMC_DEVICE void releaseOf(Place at, u32 rank) { mbarrierArriveRemote(empty[at.stage], rank); }
};

// The registers of a warpgroup (PTX ISA: setmaxnreg). For one architecture alone: sm_90a, sm_120a.
//
// Invariant: all warps of the warpgroup execute it, once, at the head of a role; the kernel has both numbers in its
// launch bounds; the sum over warpgroups does not exceed what the block was launched with.
#pragma once

#include "ptx/launch.cuh"

/// Gives registers back: at most `count` per thread from here on.
template <u32 count, bool specific = kArchitectureSpecific> MMC_DEVICE void lowerRegisters() {
  static_assert(specific, "setmaxnreg needs sm_90a");
  static_assert(count >= 24 && count <= 256 && count % 8 == 0, "register counts are multiples of 8 from 24 to 256");
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count));
}
/// Takes registers: waits until `count` per thread are there.
template <u32 count, bool specific = kArchitectureSpecific> MMC_DEVICE void raiseRegisters() {
  static_assert(specific, "setmaxnreg needs sm_90a");
  static_assert(count >= 24 && count <= 256 && count % 8 == 0, "register counts are multiples of 8 from 24 to 256");
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count));
}

// mma.sync: the product of one warp with all operands in registers, m16n8k16 and m16n8k32, through the warp's
// rendezvous.
//
// Order of summation: each element of d takes one fused multiply-add in float32 for each k, k ascending; integers are
// exact and wrap.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"
#include "runtime/cuda/emulation/ops/Product.h"

#include <cstdint>

namespace mmc::emu {

/// The instruction as one lane executes it. Fragments: PTX ISA 9.7.14.5.8 and 9.7.14.5.10 (see device/ptx/mma.cuh).
struct MmaArguments {
  void *d = nullptr;           // 4 floats, or int32 for integers
  const uint32_t *a = nullptr; // 4 registers
  const uint32_t *b = nullptr; // 2 registers
  uint32_t k = 16;             // 16 or 32
  Element elementA = Element::bf16, elementB = Element::bf16;
};

/// What the warp computes: lanes[lane] are the arguments of the 32 lanes. Pure.
void multiplyWarp(const MmaArguments *const *lanes);

/// Suspends the running thread until its whole warp has come, and multiplies.
void executeMma(const MmaArguments &arguments, uint64_t source);

} // namespace mmc::emu

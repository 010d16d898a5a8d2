// Shape classes and the arena of each: which buffers may share bytes follows from their lifetimes alone.
#pragma once

#include "passes/Conversion/TileToPlan/PlanItems.h"
#include "passes/Conversion/TileToPlan/TileToPlan.h"

namespace mmc {

inline constexpr int kBody = -1;         // Lifetime::program of the body
inline constexpr int kHead = -2;         // of the head
inline constexpr int kForever = 1 << 30; // Lifetime::end of a body buffer that the head reads

/// Rows of one run of the head program for a class of so many tokens and sequences.
uint32_t headRows(uint32_t tokens, uint32_t sequences);

/// Bytes of a buffer in a step of so many tokens, sequences and outputs.
uint64_t bytesOf(planir::BufferOp buffer, uint64_t tokens, uint64_t sequences, uint64_t outputs);

/// Adds the plan.entry ops: tokens and sequences in powers of two up to the options' limits, ascending.
mlir::LogicalResult addEntryPoints(planir::ModuleOp plan, mlir::ArrayRef<std::pair<planir::BufferOp, Lifetime>> buffers,
                                   const PlanOptions &options);

} // namespace mmc

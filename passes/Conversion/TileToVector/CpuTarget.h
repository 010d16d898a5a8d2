// What the lowering needs to know of a CPU variant: vector width, register tile, bf16 instructions. See shared register
// budgets in the comments.
#pragma once

#include "lib/Target/CPU/CompileCpu.h"

#include <string>

namespace mmc::cpu {

struct CpuTarget {
  Variant variant = Variant::x86_64_v3;
  /// f32 values per vector.
  int lanes = 8;
  /// Most rows of a register tile.
  int maxRows = 6;
  /// The ISA has a dot product of bf16 pairs into f32, and a conversion to bf16.
  bool bf16 = false;
  /// The bf16 dot product is written out in plain arithmetic, and functions get the features of x86-64-v3.
  bool emulated = false;

  static CpuTarget of(Variant variant, bool emulateAvx512) {
    CpuTarget target;
    target.variant = variant;
    target.lanes = variant == Variant::x86_64_v3 ? 8 : 16;
    target.bf16 = variant == Variant::avx512_bf16;
    target.emulated = emulateAvx512 && variant != Variant::x86_64_v3;
    return target;
  }

  /// Vectors per row of a register tile of `rows` rows. 16 registers hold at most 12 accumulators beside two vectors of
  /// B and a broadcast; few rows take more columns, so that one row streams whole panels. 32 registers hold 24.
  int vectorsPerRow(int rows) const {
    if (lanes == 16) return 4;
    return rows == 1 ? 8 : rows == 2 ? 4 : 2;
  }

  const char *cpu() const { return variant == Variant::x86_64_v3 || emulated ? "x86-64-v3" : "x86-64-v4"; }
  const char *features() const { return bf16 && !emulated ? "+avx512bf16" : ""; }
};

} // namespace mmc::cpu

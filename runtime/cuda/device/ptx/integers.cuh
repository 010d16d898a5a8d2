// Bit operations with an instruction of their own (PTX ISA: lop3, prmt, popc, clz).
//
// Invariant: pure.
#pragma once

#include "ptx/launch.cuh"

/// Any function of three bits: bit (4 a + 2 b + c) of `table`. 0xEA: (a & b) | c; 0xE8: majority; 0x96: xor.
template <u32 table> MMC_DEVICE u32 lop3(u32 a, u32 b, u32 c) {
  static_assert(table < 256, "a table of three bits has 8 entries");
  u32 d;
  asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(table));
  return d;
}
/// Four bytes chosen out of a (0 to 3) and b (4 to 7), one per nibble of the selector, the lowest first. A set top bit
/// of a nibble spreads the byte's sign.
MMC_DEVICE u32 permuteBytes(u32 a, u32 b, u32 selector) {
  u32 d;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(selector));
  return d;
}
MMC_DEVICE u32 countBits(u32 x) {
  u32 n;
  asm("popc.b32 %0, %1;" : "=r"(n) : "r"(x));
  return n;
}
/// 32 for zero.
MMC_DEVICE u32 countLeadingZeros(u32 x) {
  u32 n;
  asm("clz.b32 %0, %1;" : "=r"(n) : "r"(x));
  return n;
}
/// The same value, of which the compiler knows nothing: keeps a constant in a register (lop3 takes one immediate only).
MMC_DEVICE u32 opaque(u32 x) {
  u32 y;
  asm volatile("mov.b32 %0, %1;" : "=r"(y) : "r"(x));
  return y;
}

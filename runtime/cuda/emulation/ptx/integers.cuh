// Host twin of device/ptx/integers.cuh.
#pragma once

#include "ptx/launch.cuh"

template <u32 table> MMC_DEVICE u32 lop3(u32 a, u32 b, u32 c) {
  static_assert(table < 256, "a table of three bits has 8 entries");
  u32 d = 0;
  if (table & 0x01) d |= ~a & ~b & ~c;
  if (table & 0x02) d |= ~a & ~b & c;
  if (table & 0x04) d |= ~a & b & ~c;
  if (table & 0x08) d |= ~a & b & c;
  if (table & 0x10) d |= a & ~b & ~c;
  if (table & 0x20) d |= a & ~b & c;
  if (table & 0x40) d |= a & b & ~c;
  if (table & 0x80) d |= a & b & c;
  return d;
}
MMC_DEVICE u32 permuteBytes(u32 a, u32 b, u32 selector) {
  const u64 bytes = u64(b) << 32 | a;
  u32 d = 0;
  for (u32 i = 0; i < 4; ++i) {
    const u32 nibble = selector >> 4 * i & 15;
    const u32 byte = u32(bytes >> 8 * (nibble & 7)) & 0xff;
    d |= (nibble & 8 ? (byte & 0x80 ? 0xffu : 0u) : byte) << 8 * i;
  }
  return d;
}
MMC_DEVICE u32 countBits(u32 x) { return u32(__builtin_popcount(x)); }
MMC_DEVICE u32 countLeadingZeros(u32 x) { return x ? u32(__builtin_clz(x)) : 32; }
MMC_DEVICE u32 opaque(u32 x) { return x; }

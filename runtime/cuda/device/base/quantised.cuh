// Stored 8-bit weights as bf16, exactly.
//
// Invariant: bytes lie in the order 0 2 1 3 (the middle ones of four are swapped when weights are laid out), so that
// pairs come out in order.
#pragma once

#include "ptx/integers.cuh"
#include "ptx/math.cuh"

/// 128.0 twice in bf16, in a register of its own: lop3 takes one immediate only, and the masks are that one.
MMC_DEVICE u32 widenMagic() { return opaque(0x43004300u); }

/// Four signed bytes as two pairs of bf16, in 7 operations. How: the low seven bits in the mantissa of 128.0 are 128 +
/// them; the sign bit there makes it 128 or 256; their difference is the number.
MMC_DEVICE void widenBytes(u32 (&pairs)[2], u32 bytes, u32 magic) {
  const u32 minusOne = 0xbf80bf80u;
  const u32 shifted = bytes >> 8;
  pairs[0] =
      fusedMultiplyAddBf16(lop3<0xEA>(bytes, 0x00800080u, magic), minusOne, lop3<0xEA>(bytes, 0x007f007fu, magic));
  pairs[1] =
      fusedMultiplyAddBf16(lop3<0xEA>(shifted, 0x00800080u, magic), minusOne, lop3<0xEA>(shifted, 0x007f007fu, magic));
}

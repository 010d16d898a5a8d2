// archs: sm_80 sm_90a sm_120a
// Every function of ptx/integers.cuh and base/quantised.cuh: compiled by both readers, and run by the emulation on
// values that the host knows.
#include "base/quantised.cuh"
#include "ptx/integers.cuh"

/// 16 words per three inputs.
MMC_KERNEL(32, 1) void primitives_integers(u32 *results, const u32 *inputs, u32 count) {
  const u32 magic = widenMagic();
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += 32) {
    const u32 a = inputs[3 * i], b = inputs[3 * i + 1], c = inputs[3 * i + 2];
    u32 *out = results + 16 * u64(i);
    out[0] = lop3<0xEA>(a, b, c);
    out[1] = lop3<0xE8>(a, b, c);
    out[2] = lop3<0x96>(a, b, c);
    out[3] = lop3<0x1B>(a, b, c);
    out[4] = permuteBytes(a, b, c);
    out[5] = countBits(a);
    out[6] = countLeadingZeros(b >> (c & 31));
    out[7] = opaque(c);
    u32 pairs[2];
    widenBytes(pairs, a, magic);
    out[8] = pairs[0];
    out[9] = pairs[1];
  }
}
MMC_EXPORT(primitives_integers, 32, 1)

// archs: sm_80 sm_90a sm_120a
// Every function of ptx/math.cuh, base/activations.cuh: compiled by both readers, and run by the emulation on values
// that the host knows.
#include "base/activations.cuh"
#include "ptx/math.cuh"

template <u32 architecture> MMC_DEVICE void eightBits(u32 *out, float x, float y) {
  if constexpr (architecture >= 890) {
    const u16 a = packE4m3(x, y), b = packE5m2(x, y);
    out[22] = a;
    out[23] = b;
    out[24] = e4m3ToF16(a);
    out[25] = e5m2ToF16(b);
  }
}

/// 32 words per pair of inputs; one thread each.
MMC_KERNEL(32, 1) void primitives_math(u32 *results, const float *inputs, u32 count) {
  MMC_NO_UNROLL for (u32 i = blockIndex() * 32 + threadIndex(); i < count; i += blockCount() * 32) {
    const float x = inputs[2 * i], y = inputs[2 * i + 1];
    u32 *out = results + 32 * u64(i);
    out[0] = bitCast<u32>(exp2Approx(x));
    out[1] = bitCast<u32>(log2Approx(x));
    out[2] = bitCast<u32>(reciprocalApprox(x));
    out[3] = bitCast<u32>(rsqrtApprox(x));
    out[4] = bitCast<u32>(tanhApprox(x));
    out[5] = bitCast<u32>(fusedMultiplyAdd(x, y, 1.0f));
    out[6] = bitCast<u32>(divide(x, y));
    out[7] = bitCast<u32>(squareRoot(x));
    out[8] = bitCast<u32>(roundToInteger(x));
    out[9] = u32(toInteger(x));
    out[10] = bitCast<u32>(larger(x, y));
    out[11] = bitCast<u32>(smaller(x, y));
    out[12] = packBf16(x, y);
    out[13] = packF16(x, y);
    out[14] = bitCast<u32>(lowBf16(out[12]));
    out[15] = bitCast<u32>(highBf16(out[12]));
    out[16] = toBf16(x).bits;
    out[17] = toF16(x).bits;
    out[18] = bitCast<u32>(toFloat(toBf16(y)));
    out[19] = bitCast<u32>(toFloat(toF16(y)));
    out[20] = fusedMultiplyAddBf16(packBf16(x, y), packBf16(y, 1.0f), packBf16(1.0f, x));
    out[21] = bitCast<u32>(exponential<Accuracy::single>(x));
    eightBits<kArchitecture>(out, x, y);
    out[26] = bitCast<u32>(exponential(x));
    out[27] = bitCast<u32>(sigmoid(x));
    out[28] = bitCast<u32>(sigmoid<Accuracy::single>(x));
    out[29] = bitCast<u32>(silu(x));
    out[30] = bitCast<u32>(silu<Accuracy::single>(x));
  }
}
MMC_EXPORT(primitives_math, 32, 1)

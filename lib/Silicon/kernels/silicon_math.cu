// archs: sm_80 sm_90a
// One function of ptx/math.cuh per kernel: three words in, one word out, item by item.
#include "ptx/math.cuh"

#define ITEMS(name, expression)                                                                                        \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32 count) {                                                    \
    MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += 32) {                                                    \
      [[maybe_unused]] const u32 a = in[3 * i], b = in[3 * i + 1], c = in[3 * i + 2];                                  \
      [[maybe_unused]] const float x = bitCast<float>(a), y = bitCast<float>(b), z = bitCast<float>(c);                \
      out[i] = expression;                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)

ITEMS(exp2Item, bitCast<u32>(exp2Approx(x)))
ITEMS(log2Item, bitCast<u32>(log2Approx(x)))
ITEMS(reciprocalItem, bitCast<u32>(reciprocalApprox(x)))
ITEMS(rsqrtItem, bitCast<u32>(rsqrtApprox(x)))
ITEMS(tanhItem, bitCast<u32>(tanhApprox(x)))
ITEMS(fusedMultiplyAddItem, bitCast<u32>(fusedMultiplyAdd(x, y, z)))
ITEMS(divideItem, bitCast<u32>(divide(x, y)))
ITEMS(squareRootItem, bitCast<u32>(squareRoot(x)))
ITEMS(roundToIntegerItem, bitCast<u32>(roundToInteger(x)))
ITEMS(toIntegerItem, u32(toInteger(x)))
ITEMS(largerItem, bitCast<u32>(larger(x, y)))
ITEMS(smallerItem, bitCast<u32>(smaller(x, y)))
ITEMS(packBf16Item, packBf16(x, y))
ITEMS(packF16Item, packF16(x, y))
ITEMS(toBf16Item, toBf16(x).bits)
ITEMS(toF16Item, toF16(x).bits)
ITEMS(bf16ToFloatItem, bitCast<u32>(toFloat(bf16{u16(a)})))
ITEMS(f16ToFloatItem, bitCast<u32>(toFloat(f16{u16(a)})))
ITEMS(fusedMultiplyAddBf16Item, fusedMultiplyAddBf16(a, b, c))

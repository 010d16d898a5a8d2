// archs: sm_90a
// Conversions of 8-bit floats: three words in, one word out, item by item.
#include "ptx/math.cuh"

#define ITEMS(name, expression)                                                                                        \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32 count) {                                                    \
    MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += 32) {                                                    \
      [[maybe_unused]] const u32 a = in[3 * i], b = in[3 * i + 1];                                                     \
      [[maybe_unused]] const float x = bitCast<float>(a), y = bitCast<float>(b);                                       \
      out[i] = expression;                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)

ITEMS(packE4m3Item, packE4m3(x, y))
ITEMS(packE5m2Item, packE5m2(x, y))
ITEMS(e4m3ToF16Item, e4m3ToF16(u16(a)))
ITEMS(e5m2ToF16Item, e5m2ToF16(u16(a)))

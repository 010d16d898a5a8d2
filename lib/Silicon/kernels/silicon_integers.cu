// archs: sm_80 sm_90a
// One function of ptx/integers.cuh per kernel: three words in, one word out, item by item.
#include "ptx/integers.cuh"

#define ITEMS(name, expression)                                                                                        \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32 count) {                                                    \
    MMC_NO_UNROLL for (u32 i = threadIndex(); i < count; i += 32) {                                                    \
      [[maybe_unused]] const u32 a = in[3 * i], b = in[3 * i + 1], c = in[3 * i + 2];                                  \
      out[i] = expression;                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)

ITEMS(lop3AndOrItem, lop3<0xEA>(a, b, c))
ITEMS(lop3MajorityItem, lop3<0xE8>(a, b, c))
ITEMS(lop3XorItem, lop3<0x96>(a, b, c))
ITEMS(lop3MixedItem, lop3<0x1B>(a, b, c))
ITEMS(permuteBytesItem, permuteBytes(a, b, c))
ITEMS(countBitsItem, countBits(a))
ITEMS(countLeadingZerosItem, countLeadingZeros(a >> (b & 31)))

// archs: sm_90a
// stmatrix: registers in, lane by lane, then the row that each lane names; 64 rows of 16 bytes out.
#include "ptx/matrix.cuh"
#include "ptx/warp.cuh"

struct Rows {
  alignas(1024) Vector16 rows[64];
};

template <u32 count, bool transposed> MMC_DEVICE void store(Rows &s, u32 *out, const u32 *in) {
  const u32 lane = threadIndex();
  s.rows[lane] = s.rows[lane + 32] = {{lane, 1, 2, 3}};
  syncWarp();
  u32 registers[count];
  MMC_UNROLL for (u32 i = 0; i < count; ++i) registers[i] = in[lane * count + i];
  if constexpr (transposed)
    storeMatrixTransposed(&s.rows[in[128 + lane]], registers);
  else
    storeMatrix(&s.rows[in[128 + lane]], registers);
  syncWarp();
  MMC_UNROLL for (u32 half = 0; half < 2; ++half) MMC_UNROLL for (u32 word = 0; word < 4; ++word)
      out[4 * (half * 32 + lane) + word] = s.rows[half * 32 + lane].words[word];
}

#define STORE(name, count, transposed)                                                                                 \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32) {                                                          \
    MMC_SHARED(Rows, s);                                                                                               \
    store<count, transposed>(s, out, in);                                                                              \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1, Rows)
STORE(storeMatrix1, 1, false)
STORE(storeMatrix2, 2, false)
STORE(storeMatrix4, 4, false)
STORE(storeMatrix1Transposed, 1, true)
STORE(storeMatrix2Transposed, 2, true)
STORE(storeMatrix4Transposed, 4, true)

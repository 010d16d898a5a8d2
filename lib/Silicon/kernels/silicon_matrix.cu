// archs: sm_80 sm_90a
// ldmatrix: 64 rows of 16 bytes in, then the row that each lane names; registers out, lane by lane.
#include "ptx/matrix.cuh"
#include "ptx/warp.cuh"

struct Rows {
  alignas(1024) Vector16 rows[64];
};

template <u32 count, bool transposed> MMC_DEVICE void load(Rows &s, u32 *out, const u32 *in) {
  const u32 lane = threadIndex();
  MMC_UNROLL for (u32 half = 0; half < 2; ++half) {
    const u32 row = half * 32 + lane;
    s.rows[row] = {{in[4 * row], in[4 * row + 1], in[4 * row + 2], in[4 * row + 3]}};
  }
  syncWarp();
  u32 registers[count];
  if constexpr (transposed)
    loadMatrixTransposed(registers, &s.rows[in[256 + lane]]);
  else
    loadMatrix(registers, &s.rows[in[256 + lane]]);
  MMC_UNROLL for (u32 i = 0; i < count; ++i) out[lane * count + i] = registers[i];
}

#define LOAD(name, count, transposed)                                                                                  \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32) {                                                          \
    MMC_SHARED(Rows, s);                                                                                               \
    load<count, transposed>(s, out, in);                                                                               \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1, Rows)
LOAD(loadMatrix1, 1, false)
LOAD(loadMatrix2, 2, false)
LOAD(loadMatrix4, 4, false)
LOAD(loadMatrix1Transposed, 1, true)
LOAD(loadMatrix2Transposed, 2, true)
LOAD(loadMatrix4Transposed, 4, true)

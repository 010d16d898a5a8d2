// archs: sm_80 sm_90a sm_120a
// Every movement of ptx/matrix.cuh, so that both readers compile it.
#include "ptx/matrix.cuh"

struct MatrixShared {
  Vector16 rows[32];
};

template <u32 architecture, u32 count> MMC_DEVICE u32 move(Vector16 &row) {
  u32 plain[count], transposed[count], sum = 0;
  loadMatrix(plain, &row);
  loadMatrixTransposed(transposed, &row);
  if constexpr (architecture >= 900) {
    storeMatrix(&row, transposed);
    storeMatrixTransposed(&row, plain);
  }
  MMC_UNROLL for (u32 i = 0; i < count; ++i) sum += plain[i] + transposed[i];
  return sum;
}

MMC_KERNEL(32, 1) void primitives_matrix(u32 *out) {
  MMC_SHARED(MatrixShared, shared);
  Vector16 &row = shared.rows[threadIndex()];
  row = {threadIndex(), 1, 2, 3};
  out[threadIndex()] = move<kArchitecture, 1>(row) + move<kArchitecture, 2>(row) + move<kArchitecture, 4>(row);
}
MMC_EXPORT(primitives_matrix, 32, 1, MatrixShared)

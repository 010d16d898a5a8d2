// archs: sm_90a
//
// ldmatrix, stmatrix and movmatrix as tests see them: one warp, rows where the test says, registers in and out lane by
// lane. And the rules of their memory accesses.
#include "base/types.cuh"
#include "ptx/launch.cuh"
#include "ptx/matrix.cuh"
#include "ptx/warp.cuh"

struct Rows {
  alignas(1024) Vector16 rows[128];
};

/// All 64 rows in, `places[lane]` names the row that the lane gives.
template <u32 count, bool transposed>
MMC_DEVICE void load(Rows &s, const Vector16 *rows, const u32 *places, u32 *out) {
  s.rows[threadIndex()] = rows[threadIndex()];
  s.rows[threadIndex() + 32] = rows[threadIndex() + 32];
  syncWarp();
  u32 registers[count];
  if constexpr (transposed) loadMatrixTransposed(registers, &s.rows[places[threadIndex()]]);
  else loadMatrix(registers, &s.rows[places[threadIndex()]]);
  MMC_UNROLL for (u32 i = 0; i < count; ++i) out[threadIndex() * count + i] = registers[i];
}
template <u32 count, bool transposed>
MMC_DEVICE void store(Rows &s, Vector16 *rows, const u32 *places, const u32 *in) {
  u32 registers[count];
  MMC_UNROLL for (u32 i = 0; i < count; ++i) registers[i] = in[threadIndex() * count + i];
  if constexpr (transposed) storeMatrixTransposed(&s.rows[places[threadIndex()]], registers);
  else storeMatrix(&s.rows[places[threadIndex()]], registers);
  syncWarp();
  if (threadIndex() < 8 * count) rows[threadIndex()] = s.rows[places[threadIndex()]];
}

#define LOAD(name, count, transposed)                                                                                  \
  MMC_KERNEL(32, 1) void name(const Vector16 *rows, const u32 *places, u32 *out) {                                     \
    MMC_SHARED(Rows, s);                                                                                               \
    load<count, transposed>(s, rows, places, out);                                                                     \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1, Rows)
#define STORE(name, count, transposed)                                                                                 \
  MMC_KERNEL(32, 1) void name(Vector16 *rows, const u32 *places, const u32 *in) {                                      \
    MMC_SHARED(Rows, s);                                                                                               \
    store<count, transposed>(s, rows, places, in);                                                                     \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1, Rows)
LOAD(load1, 1, false)
LOAD(load2, 2, false)
LOAD(load4, 4, false)
LOAD(load1Transposed, 1, true)
LOAD(load2Transposed, 2, true)
LOAD(load4Transposed, 4, true)
STORE(store1, 1, false)
STORE(store2, 2, false)
STORE(store4, 4, false)
STORE(store1Transposed, 1, true)
STORE(store2Transposed, 2, true)
STORE(store4Transposed, 4, true)

MMC_KERNEL(32, 1) void move(const u32 *in, u32 *out) { out[threadIndex()] = transposeMatrix(in[threadIndex()]); }
MMC_EXPORT(move, 32, 1)

// --- Rules

MMC_DEVICE void fillRows(Rows &s) {
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) s.rows[i * 32 + threadIndex()] = {{1, 2, 3, 4}};
}

// The lane that gives an address must know of the write of that row.
MMC_KERNEL(32, 1) void loadUnordered(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  fillRows(s);
  if (!broken) syncWarp();
  u32 registers[4];
  loadMatrix(registers, &s.rows[threadIndex() ^ 1]); // BAD: rows of other lanes
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadUnordered, 32, 1, Rows)

// Rows are written by the lanes that give the addresses, from all lanes' registers.
MMC_KERNEL(32, 1) void storeUnordered(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  u32 registers[4] = {threadIndex(), 1, 2, 3};
  storeMatrix(&s.rows[threadIndex()], registers); // BAD: read by other lanes
  if (!broken) syncWarp();
  out[threadIndex()] = s.rows[threadIndex() ^ 5].words[0];
}
MMC_EXPORT(storeUnordered, 32, 1, Rows)

// Two lanes must not give the same row to store to.
MMC_KERNEL(32, 1) void storeTwice(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  u32 registers[2] = {threadIndex(), 1};
  const u32 row = broken && threadIndex() == 9 ? 3 : threadIndex();
  storeMatrix(&s.rows[row], registers); // BAD: one row twice
}
MMC_EXPORT(storeTwice, 32, 1, Rows)

// Rows lie at multiples of 16; lanes that give no row may pass anything.
MMC_KERNEL(32, 1) void loadMisaligned(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  fillRows(s);
  syncWarp();
  const u8 *base = static_cast<const u8 *>(static_cast<const void *>(&s.rows[threadIndex()]));
  u32 registers[2];
  loadMatrix(registers, base + (threadIndex() == (broken ? 11u : 17u) ? 4 : 0)); // BAD: four bytes off
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadMisaligned, 32, 1, Rows)

MMC_KERNEL(32, 1) void loadUnwritten(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  if (threadIndex() < (broken ? 15 : 16)) s.rows[threadIndex()] = {{1, 2, 3, 4}};
  syncWarp();
  u32 registers[2];
  loadMatrix(registers, &s.rows[threadIndex()]); // BAD: row 15 was never written
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadUnwritten, 32, 1, Rows)

MMC_KERNEL(32, 1) void loadOutside(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  fillRows(s);
  syncWarp();
  u32 registers[4];
  loadMatrix(registers, &s.rows[threadIndex() + (broken ? 97 : 96)]); // BAD: past the end
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadOutside, 32, 1, Rows)

MMC_KERNEL(32, 1) void loadGlobalMemory(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  fillRows(s);
  syncWarp();
  const void *row = &s.rows[threadIndex()];
  if (broken) row = out + threadIndex() * 4;
  u32 registers[4];
  loadMatrix(registers, row); // BAD: global memory
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadGlobalMemory, 32, 1, Rows)

MMC_KERNEL(32, 1) void loadByHalf(u32 broken, u32 *out) {
  MMC_SHARED(Rows, s);
  fillRows(s);
  syncWarp();
  if (broken && threadIndex() >= 16) return;
  u32 registers[1];
  loadMatrix(registers, &s.rows[threadIndex()]); // BAD: half a warp
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(loadByHalf, 32, 1, Rows)

// ldmatrix and stmatrix: 8 x 8 matrices of 16-bit elements between shared memory and the registers of a warp, through
// the warp's rendezvous. (movmatrix touches no memory: it is in WarpExchange.cpp.)
//
// Lane 8 i + r gives the address of row r of matrix i, and the access of that row is this lane's: it must be ordered
// for it. Register i of lane l holds elements 2 (l % 4) and + 1 of row l / 4 of matrix i; transposed: of column l / 4.
#pragma once

#include <cstdint>

namespace mmc::emu {

/// Eight rows of 16 bytes.
struct Matrix8x8 {
  uint16_t rows[8][8];
};

/// A lane's register of the matrix, and back. Pure.
uint32_t readFragment(const Matrix8x8 &matrix, uint32_t lane, bool transpose);
void writeFragment(Matrix8x8 &matrix, uint32_t lane, bool transpose, uint32_t value);

/// `count` matrices (1, 2 or 4); `row` matters in lanes 0 to 8 count - 1. By the whole warp, from one place.
void loadMatrix(uint32_t *registers, const void *row, uint32_t count, bool transpose, uint64_t source);
void storeMatrix(void *row, const uint32_t *registers, uint32_t count, bool transpose, uint64_t source);

} // namespace mmc::emu

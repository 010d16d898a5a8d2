// Cases of ptx/matrix.cuh: 8 x 8 matrices of 16-bit elements between shared memory and registers, by rows that lie
// anywhere among 64.
#include "lib/Silicon/Numbers.h"

#include <numeric>

namespace mmc::silicon {

namespace {

/// 32 different rows out of 64.
Words placesOf(Random &random) {
  Words rows(64);
  std::iota(rows.begin(), rows.end(), 0u);
  for (uint32_t i = 0; i < 32; ++i) std::swap(rows[i], rows[i + random.below(64 - i)]);
  rows.resize(32);
  return rows;
}

std::string kernelOf(const char *verb, uint32_t count, bool transposed) {
  return std::string(verb) + "Matrix" + std::to_string(count) + (transposed ? "Transposed" : "");
}

/// Register i of a lane: elements 2 (lane % 4) and + 1 of row lane / 4 of matrix i, or of its column.
struct Place {
  uint32_t row, column; // of the first element; the second is one column further on, transposed: one row
};
Place placeOf(uint32_t lane, bool transposed) {
  return transposed ? Place{lane % 4 * 2, lane / 4} : Place{lane / 4, lane % 4 * 2};
}

void addLoad(std::vector<Case> &cases, uint32_t count, bool transposed) {
  Case c;
  c.kernel = kernelOf("load", count, transposed);
  c.name = "matrix." + c.kernel;
  c.module = "silicon_matrix";
  c.sharedBytes = 1024;
  Random random(c.name);
  c.input = random.words(256);
  const Words places = placesOf(random);
  c.input.insert(c.input.end(), places.begin(), places.end());
  const auto at = [&](uint32_t matrix, uint32_t row, uint32_t column) {
    return c.input[places[8 * matrix + row] * 4 + column / 2] >> 16 * (column % 2) & 0xffff;
  };
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t i = 0; i < count; ++i) {
      const Place p = placeOf(lane, transposed);
      const uint32_t second = transposed ? at(i, p.row + 1, p.column) : at(i, p.row, p.column + 1);
      c.words.push_back(second << 16 | at(i, p.row, p.column));
    }
  c.initial.assign(c.words.size(), kUntouched);
  cases.push_back(std::move(c));
}

void addStore(std::vector<Case> &cases, uint32_t count, bool transposed) {
  Case c;
  c.kernel = kernelOf("store", count, transposed);
  c.name = "matrix." + c.kernel;
  c.module = "silicon_matrix_store";
  c.sharedBytes = 1024;
  Random random(c.name);
  c.input = random.words(128);
  const Words places = placesOf(random);
  c.input.insert(c.input.end(), places.begin(), places.end());
  for (uint32_t row = 0; row < 64; ++row) c.words.insert(c.words.end(), {row % 32, 1, 2, 3});
  const auto put = [&](uint32_t matrix, uint32_t row, uint32_t column, uint32_t element) {
    uint32_t &word = c.words[places[8 * matrix + row] * 4 + column / 2];
    const uint32_t shift = 16 * (column % 2);
    word = (word & ~(0xffffu << shift)) | element << shift;
  };
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t i = 0; i < count; ++i) {
      const Place p = placeOf(lane, transposed);
      const uint32_t word = c.input[lane * count + i];
      put(i, p.row, p.column, word & 0xffff);
      put(i, transposed ? p.row + 1 : p.row, transposed ? p.column : p.column + 1, word >> 16);
    }
  c.initial.assign(c.words.size(), kUntouched);
  cases.push_back(std::move(c));
}

} // namespace

void addMatrixCases(std::vector<Case> &cases) {
  for (uint32_t count : {1u, 2u, 4u})
    for (bool transposed : {false, true}) addLoad(cases, count, transposed);
  for (uint32_t count : {1u, 2u, 4u})
    for (bool transposed : {false, true}) addStore(cases, count, transposed);
}

} // namespace mmc::silicon

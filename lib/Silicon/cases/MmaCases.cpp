// Cases of ptx/mma.cuh: registers of one warp by the tables of the manual.
#include "lib/Silicon/Products.h"

namespace mmc::silicon {

namespace {

uint32_t placeOfD(uint32_t, uint32_t row, uint32_t column) {
  const uint32_t lane = row % 8 * 4 + column / 2;
  return lane * 4 + row / 8 * 2 + column % 2;
}

/// Byte `byte` of 32 of a row of A: its lane holds bytes 4 t to 4 t + 3 of either half of the row, t = lane % 4.
uint32_t byteOfA(uint32_t row, uint32_t byte) {
  const uint32_t lane = row % 8 * 4 + byte % 16 / 4;
  return (lane * 4 + byte / 16 * 2 + row / 8) * 4 + byte % 4;
}
uint32_t byteOfB(uint32_t column, uint32_t byte) {
  const uint32_t lane = column * 4 + byte % 16 / 4;
  return 512 + (lane * 2 + byte / 16) * 4 + byte % 4;
}

void lay(Words &words, const Operand &operand, uint32_t (*byteOf)(uint32_t, uint32_t)) {
  const uint32_t bytes = bytesOf(operand.type);
  for (uint32_t row = 0; row < operand.rows; ++row)
    for (uint32_t k = 0; k < operand.depth; ++k) {
      const uint32_t at = byteOf(row, k * bytes);
      words[at / 4] |= operand.at(row, k) << 8 * (at % 4);
    }
}

void add(std::vector<Case> &cases, const char *kernel, const char *module, Type typeA, Type typeB) {
  Case c;
  c.name = std::string("mma.") + kernel;
  c.module = module;
  c.kernel = kernel;
  Random random(c.name);
  const Operand a = drawOperand(random, typeA, 16), b = drawOperand(random, typeB, 8);
  const Words start = drawStart(random, isInteger(typeA), 128);
  c.input.assign(192, 0);
  lay(c.input, a, byteOfA);
  lay(c.input, b, byteOfB);
  c.input.insert(c.input.end(), start.begin(), start.end());
  expectProduct(c, a, b, 1, true, start, placeOfD);
  cases.push_back(std::move(c));
}

} // namespace

void addMmaCases(std::vector<Case> &cases) {
  add(cases, "mmaBf16", "silicon_mma", Type::bf16, Type::bf16);
  add(cases, "mmaF16", "silicon_mma", Type::f16, Type::f16);
  add(cases, "mmaS8", "silicon_mma", Type::s8, Type::s8);
  add(cases, "mmaS8U8", "silicon_mma", Type::s8, Type::u8);
  add(cases, "mmaU8S8", "silicon_mma", Type::u8, Type::s8);
  add(cases, "mmaU8", "silicon_mma", Type::u8, Type::u8);
  add(cases, "mmaE4m3", "silicon_mma_short", Type::e4m3, Type::e4m3);
  add(cases, "mmaE4m3E5m2", "silicon_mma_short", Type::e4m3, Type::e5m2);
  add(cases, "mmaE5m2E4m3", "silicon_mma_short", Type::e5m2, Type::e4m3);
  add(cases, "mmaE5m2", "silicon_mma_short", Type::e5m2, Type::e5m2);
}

} // namespace mmc::silicon

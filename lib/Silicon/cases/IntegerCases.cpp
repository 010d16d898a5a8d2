// Cases of ptx/integers.cuh: three words in, one out, item by item.
#include "lib/Silicon/Numbers.h"

#include <functional>

namespace mmc::silicon {

namespace {

using Function = std::function<uint32_t(uint32_t a, uint32_t b, uint32_t c)>;

void add(std::vector<Case> &cases, const std::string &function, const Function &result) {
  Case c;
  c.name = "integers." + function;
  c.module = "silicon_integers";
  c.kernel = function + "Item";
  c.input = Random(c.name).words(3 * 256);
  c.input[0] = c.input[1] = c.input[2] = 0;
  c.input[3] = c.input[4] = c.input[5] = ~0u;
  c.count = uint32_t(c.input.size() / 3);
  c.initial.assign(c.count, kUntouched);
  for (uint32_t i = 0; i < c.count; ++i)
    c.words.push_back(result(c.input[3 * i], c.input[3 * i + 1], c.input[3 * i + 2]));
  cases.push_back(std::move(c));
}

/// Bit by bit: entry 4 a + 2 b + c of the table.
Function tableOf(uint32_t table) {
  return [=](uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result = 0;
    for (int bit = 0; bit < 32; ++bit)
      result |= (table >> (4 * (a >> bit & 1) + 2 * (b >> bit & 1) + (c >> bit & 1)) & 1) << bit;
    return result;
  };
}

uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint32_t result = 0;
  for (int place = 0; place < 4; ++place) {
    const uint32_t nibble = selector >> 4 * place & 15;
    uint32_t byte = uint32_t((uint64_t(b) << 32 | a) >> 8 * (nibble & 7)) & 0xff;
    if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
    result |= byte << 8 * place;
  }
  return result;
}

} // namespace

void addIntegerCases(std::vector<Case> &cases) {
  add(cases, "lop3AndOr", tableOf(0xEA));
  add(cases, "lop3Majority", tableOf(0xE8));
  add(cases, "lop3Xor", tableOf(0x96));
  add(cases, "lop3Mixed", tableOf(0x1B));
  add(cases, "permuteBytes", permute);
  add(cases, "countBits", [](uint32_t a, uint32_t, uint32_t) { return uint32_t(std::popcount(a)); });
  add(cases, "countLeadingZeros",
      [](uint32_t a, uint32_t b, uint32_t) { return uint32_t(std::countl_zero(a >> (b & 31))); });
}

} // namespace mmc::silicon

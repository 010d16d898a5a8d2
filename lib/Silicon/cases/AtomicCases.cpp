// Cases of ptx/atomics.cuh: chains of operations on a lane's own words, and sums and extremes that many lanes make,
// where the order of arrival cannot matter.
#include "lib/Silicon/Numbers.h"

#include <algorithm>

namespace mmc::silicon {

namespace {

/// Applies operations to a word one after the other, keeping what each has found.
template <class T> class Chain {
public:
  Chain(uint32_t *&out, T value) : value(value), out(out) {}
  template <class Operation> void step(Operation operation) {
    *out++ = sizeof(T) == 8 ? uint32_t(uint64_t(value) >> 32) : uint32_t(value);
    value = operation(value);
  }
  T value;

private:
  uint32_t *&out;
};

void oneLane(uint32_t *own, uint32_t lane, uint32_t value, uint32_t other) {
  uint32_t *out = own;
  Chain<uint32_t> word(out, value);
  word.step([&](uint32_t x) { return x + other; });
  word.step([&](uint32_t x) { return std::min(x, other); });
  word.step([&](uint32_t x) { return std::max(x, value); });
  word.step([&](uint32_t x) { return x & ~other; });
  word.step([&](uint32_t x) { return x | value; });
  word.step([&](uint32_t) { return other; });
  word.step([&](uint32_t x) { return x >= other + (lane & 1) ? 0 : x + 1; });
  word.step([&](uint32_t x) { return x == (lane & 1 ? other + 1 : other) ? value : x; });
  word.step([&](uint32_t x) { return x == other ? 9u : x; });
  own[32] = word.value;

  Chain<int32_t> number(out, int32_t(value));
  number.step([&](int32_t x) { return int32_t(uint32_t(x) + other); });
  number.step([&](int32_t x) { return std::min(x, int32_t(other)); });
  number.step([&](int32_t x) { return std::max(x, int32_t(value)); });
  number.step([&](int32_t) { return -5; });
  own[33] = uint32_t(number.value);

  const float first = 0.1f, sum = first + float(int32_t(value) >> 8);
  *out++ = bitsOf(first);
  *out++ = bitsOf(sum);
  own[34] = bitsOf(1.5f);

  Chain<uint64_t> wide(out, uint64_t(value) << 32 | other);
  wide.step([&](uint64_t x) { return x + other; });
  wide.step([&](uint64_t x) { return std::max(x, uint64_t(other) << 32); });
  // These two hand out the low word.
  *out++ = uint32_t(wide.value);
  wide.value &= ~uint64_t(0) << 8;
  *out++ = uint32_t(wide.value);
  if (wide.value == 0) wide.value = 1;
  wide.step([&](uint64_t) { return uint64_t(value); });
  own[36] = uint32_t(wide.value);
  own[37] = uint32_t(wide.value >> 32);
}

} // namespace

void addAtomicCases(std::vector<Case> &cases) {
  Case alone;
  alone.name = "atomics.alone";
  alone.module = "silicon_atomics";
  alone.kernel = "atomicsAlone";
  alone.input = Random(alone.name).words(64);
  alone.initial.assign(32 * 40, kUntouched);
  alone.words = alone.initial;
  for (uint32_t lane = 0; lane < 32; ++lane)
    oneLane(&alone.words[lane * 40], lane, alone.input[lane], alone.input[lane + 32]);
  cases.push_back(std::move(alone));

  Case together;
  together.name = "atomics.together";
  together.module = "silicon_atomics";
  together.kernel = "atomicsTogether";
  together.blocks = 2;
  together.threads = 64;
  together.sharedBytes = 256;
  together.input = Random(together.name).words(128);
  together.initial.assign(32, 0);
  together.initial[4] = ~0u;
  together.initial[7] = 0x80000000;
  together.words = together.initial;
  Words &w = together.words;
  float sum = 0;
  uint64_t wide = 0;
  for (uint32_t i = 0; i < 128; ++i) {
    const uint32_t value = together.input[i];
    w[0] += value;
    w[1] += value;
    w[2] = std::max(w[2], value);
    w[3] |= 1u << value % 32;
    w[4] = std::min(w[4], value);
    w[5] = w[5] >= 100 ? 0 : w[5] + 1;
    sum += float(value % 1024); // integers: exact in any order
    w[7] = uint32_t(std::max(int32_t(w[7]), int32_t(value)));
    wide += uint64_t(value) << 8;
    ++w[10];
  }
  w[6] = bitsOf(sum);
  w[8] = uint32_t(wide);
  w[9] = uint32_t(wide >> 32);
  for (uint32_t block = 0; block < 2; ++block) {
    float blockSum = 0;
    uint32_t *own = &w[16 + block * 4];
    for (uint32_t i = 0; i < 64; ++i) {
      const uint32_t value = together.input[block * 64 + i];
      own[0] += value;
      own[1] = std::max(own[1], value);
      blockSum += float(value % 1024);
    }
    own[2] = bitsOf(blockSum);
  }
  cases.push_back(std::move(together));
}

} // namespace mmc::silicon

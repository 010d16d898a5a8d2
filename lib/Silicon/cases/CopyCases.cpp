// Cases of cp.async and of bulk copies of ranges: bytes move, what is not valid becomes zeros.
#include "lib/Silicon/Numbers.h"

#include <algorithm>

namespace mmc::silicon {

namespace {

/// The first `valid` bytes of four words that were moved in pieces of `bytes`; the others are zeros, or untouched.
uint32_t copiedWord(const Words &in, uint32_t at, uint32_t word, uint32_t bytes, uint32_t valid, uint32_t untouched) {
  if (word * 4 >= bytes) return untouched;
  uint32_t result = 0;
  for (uint32_t byte = 0; byte < 4; ++byte)
    if (word * 4 + byte < valid) result |= in[at] & 0xffu << 8 * byte;
  return result;
}

void addAsync(std::vector<Case> &cases, const std::string &kernel, uint32_t bytesOfFirst, uint32_t bytesOfSecond) {
  Case c;
  c.name = "copy." + kernel;
  c.module = "silicon_async_copy";
  c.kernel = kernel;
  c.sharedBytes = 1152;
  Random random(c.name);
  for (uint32_t thread = 0; thread < 32; ++thread) c.input.push_back(thread % 17);
  const Words source = random.words(256);
  c.input.insert(c.input.end(), source.begin(), source.end());
  for (uint32_t i = 0; i < 256; ++i) {
    const uint32_t bytes = i < 128 ? bytesOfFirst : bytesOfSecond, thread = i % 128 / 4;
    const uint32_t valid = std::min(c.input[thread], bytes);
    c.words.push_back(copiedWord(c.input, 32 + i, i % 4, bytes, valid, ~(i / 32)));
  }
  c.initial.assign(256, kUntouched);
  cases.push_back(std::move(c));
}

Case bulk(const std::string &kernel, uint32_t blocks, uint32_t words) {
  Case c;
  c.name = "bulk." + kernel;
  c.module = "silicon_bulk";
  c.kernel = kernel;
  c.blocks = blocks;
  c.threads = 64;
  c.sharedBytes = 8320;
  c.input = Random(c.name).words(1024);
  c.initial.assign(words, kUntouched);
  return c;
}

} // namespace

void addCopyCases(std::vector<Case> &cases) {
  for (uint32_t bytes : {4u, 8u, 16u}) addAsync(cases, "copyAsync" + std::to_string(bytes), bytes, bytes);
  addAsync(cases, "copyAsyncOnBarrier", 16, 8);

  for (const char *kernel : {"bulkIn", "bulkInFirst", "bulkInLast", "bulkInPrefetched", "bulkInPieces", "bulkOut"}) {
    Case c = bulk(kernel, 1, 1024);
    c.words = c.input;
    cases.push_back(std::move(c));
  }
  Case both = bulk("bulkInMulticast", 2, 2048);
  for (uint32_t i = 0; i < 2048; ++i) both.words.push_back(both.input[i % 1024]);
  cases.push_back(std::move(both));
  Case across = bulk("bulkAcross", 2, 2048);
  for (uint32_t i = 0; i < 2048; ++i) across.words.push_back(across.input[i % 1024] + (i < 1024 ? 1 : 0));
  cases.push_back(std::move(across));
}

} // namespace mmc::silicon

// Cases of ptx/memory.cuh: 4 words per lane in, 8 out, through accesses of every width.
#include "lib/Silicon/Numbers.h"

namespace mmc::silicon {

namespace {

Case make(const std::string &kernel) {
  Case c;
  c.name = "memory." + kernel;
  c.module = "silicon_memory";
  c.kernel = kernel;
  c.sharedBytes = 512;
  c.input = Random(c.name).words(128);
  c.initial.assign(256, kUntouched);
  return c;
}

} // namespace

void addMemoryCases(std::vector<Case> &cases) {
  for (const char *kernel : {"widthsNormal", "widthsNoAllocate", "widthsEvictFirst", "widthsEvictLast",
                             "widthsStreaming", "widthsReadOnly", "widthsShared"}) {
    Case c = make(kernel);
    for (uint32_t lane = 0; lane < 32; ++lane) {
      const uint32_t *in = &c.input[lane * 4];
      // The third halfword of the middle: what a 2-byte load at byte 6 finds.
      const uint32_t half = in[1] >> 16;
      c.words.insert(c.words.end(), {in[0], in[1], in[2], in[3], in[2], in[3], in[2], half | 0x12340000});
    }
    cases.push_back(std::move(c));
  }
  Case chain = make("orderedChain");
  chain.threads = 64;
  chain.initial[128] = 0;
  chain.words = chain.initial;
  const Words &in = chain.input;
  chain.words[0] = in[0];
  chain.words[1] = in[1];
  chain.words[2] = in[0] * 2 + in[1];
  chain.words[3] = in[2];
  chain.words[128] = 1;
  chain.words[130] = 5;
  chain.words[131] = in[2];
  cases.push_back(std::move(chain));
}

} // namespace mmc::silicon

// Cases of mbarriers, clusters and named barriers.
#include "lib/Silicon/Numbers.h"

namespace mmc::silicon {

namespace {

Case make(const std::string &name, const std::string &module, const std::string &kernel, uint32_t blocks,
          uint32_t threads, size_t inputWords, size_t outputWords) {
  Case c;
  c.name = name + "." + kernel;
  c.module = module;
  c.kernel = kernel;
  c.blocks = blocks;
  c.threads = threads;
  c.sharedBytes = 1024;
  c.input = Random(c.name).words(inputWords);
  c.initial.assign(outputWords, kUntouched);
  c.words = c.initial;
  return c;
}

void addBarriers(std::vector<Case> &cases) {
  Case answers = make("mbarrier", "silicon_mbarrier", "phaseAnswers", 1, 32, 128, 72);
  // Bit p: the phase of parity p before the current one, and no other, counts as complete.
  const uint32_t expected[] = {2, 2, 1, 1, 2, 1};
  for (uint32_t i = 0; i < 6; ++i) answers.words[i] = expected[i];
  for (uint32_t i = 0; i < 64; ++i) answers.words[8 + i] = answers.input[i < 32 ? 64 + i : i];
  cases.push_back(std::move(answers));

  Case ring = make("mbarrier", "silicon_mbarrier", "ringOfOne", 1, 64, 256, 32);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t sum = 0;
    for (uint32_t turn = 0; turn < 4; ++turn)
      sum = sum * 3 + ring.input[turn * 64 + 63 - lane] + 5 * ring.input[turn * 64 + lane];
    ring.words[lane] = sum;
  }
  cases.push_back(std::move(ring));

  Case teams = make("barrier", "silicon_sync", "teams", 1, 128, 128, 128);
  for (uint32_t thread = 0; thread < 128; ++thread) {
    const uint32_t from = 127 - thread, first = from / 64 * 64;
    teams.words[thread] = teams.input[first + (from + 37) % 64];
  }
  cases.push_back(std::move(teams));

  Case producers = make("barrier", "silicon_sync", "producers", 1, 128, 128, 32);
  for (uint32_t i = 0; i < 32; ++i)
    producers.words[i] = producers.input[i] + producers.input[i + 32] * 3 + producers.input[i + 64] * 5;
  cases.push_back(std::move(producers));
}

void addClusters(std::vector<Case> &cases) {
  Case loads = make("cluster", "silicon_cluster", "remoteLoads", 4, 32, 32, 1024);
  Case stores = make("cluster", "silicon_cluster", "remoteStores", 4, 32, 32, 1024);
  for (uint32_t rank = 0; rank < 4; ++rank)
    for (uint32_t lane = 0; lane < 32; ++lane) {
      const uint32_t next = (rank + 1) % 4, at = rank * 256 + lane * 8;
      const Words &in = loads.input;
      const uint32_t all[4] = {in[lane], in[lane] + next, in[lane] ^ next, lane};
      const uint32_t found[8] = {rank << 8 | 4, in[31 - lane] + next, all[2], all[3], all[0], all[1], all[2], all[3]};
      for (uint32_t i = 0; i < 8; ++i) loads.words[at + i] = found[i];
      // The block after this one has written here.
      const uint32_t left[5] = {stores.input[lane] * 2 + next, next, 31 - lane, stores.input[31 - lane], 7};
      for (uint32_t i = 0; i < 5; ++i) stores.words[at + i] = left[i];
    }
  cases.push_back(std::move(loads));
  cases.push_back(std::move(stores));
}

} // namespace

void addSyncCases(std::vector<Case> &cases) {
  addBarriers(cases);
  addClusters(cases);
}

} // namespace mmc::silicon

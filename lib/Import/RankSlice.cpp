// The model that one of several ranks has under tensor parallelism: what is split evenly is divided, all else stays.
// Heads, and with them the state and the KV cache; the inner width of every expert (each rank has a slice of all
// experts); the rows of the vocabulary. Sums over ranks are left out, so its answers mean nothing: it has the shapes.
#include "lib/Import/ModelConfig.h"

namespace mmc::import {

Status sliceForRank(ModelConfig &config, int64_t ranks) {
  auto refuse = [&](const char *what, int64_t found) {
    return Status(kRankShapes, "--rank-shapes " + std::to_string(ranks) + ": the model has " + std::to_string(found) +
                                   " " + what + ", expected a multiple of " + std::to_string(ranks));
  };
  if (config.heads % ranks) return refuse("attention heads", config.heads);
  if (config.intermediate % ranks) return refuse("channels in an expert", config.intermediate);
  // Where there are more ranks than KV heads, ranks share them.
  if (config.kvHeads % ranks && ranks % config.kvHeads) return refuse("KV heads", config.kvHeads);
  config.heads /= ranks;
  config.intermediate /= ranks;
  config.kvHeads = std::max<int64_t>(1, config.kvHeads / ranks);
  config.vocabulary = (config.vocabulary + ranks - 1) / ranks;
  std::erase_if(config.stopTokens, [&](int64_t id) { return id >= config.vocabulary; });
  return {};
}

} // namespace mmc::import

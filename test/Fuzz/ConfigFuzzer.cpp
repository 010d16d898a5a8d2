// Hostile configurations: any text either is refused with a message or gives a model whose sizes are consistent.
#include "lib/Import/ModelConfig.h"

#include <cstdio>
#include <cstdlib>

using namespace mmc::import;

static void require(bool promise, const char *what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Expected<JsonValue> json = parseJsonText({reinterpret_cast<const char *>(data), size}, "fuzz");
  if (!json.ok()) {
    require(!json.status().message().empty(), "a refusal explains itself");
    return 0;
  }
  Expected<ModelConfig> config = parseConfig(*json, "fuzz");
  if (!config.ok()) {
    require(!config.status().message().empty() && !config.status().hint().empty(), "a refusal explains itself");
    return 0;
  }
  require(!config->layers.empty() && config->layers.size() <= 4096, "layers are bounded");
  require(config->topK >= 1 && config->topK <= config->experts, "top-k is at most the experts");
  require(config->heads % config->kvHeads == 0, "query heads are a multiple of key heads");
  require(config->rotaryDim >= 2 && config->rotaryDim % 2 == 0 && config->rotaryDim <= config->headDim,
          "rotary dimensions fit the head");
  require(config->ropeTheta > 0 && config->normEps > 0, "theta and eps are positive");
  for (int64_t id : config->stopTokens) require(id >= 0 && id < config->vocabulary, "stop tokens are ids");
  return 0;
}

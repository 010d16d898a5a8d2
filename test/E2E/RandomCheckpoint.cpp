#include "test/E2E/RandomCheckpoint.h"

#include "lib/Import/ModelConfig.h"
#include "lib/Support/RandomDistribution.h"
#include "runtime/src/RandomWeights.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sstream>

namespace mmc::test {

RandomCheckpoint::RandomCheckpoint(const RandomModel &model, uint64_t seed) : config(model.config()) {
  auto json = import::parseJsonText(config, "config.json");
  auto parsed = json.ok() ? import::parseConfig(*json, "config.json") : json.status();
  EXPECT_TRUE(parsed.ok()) << parsed.status().text();
  if (!parsed.ok()) return;
  import::forEachTensor(*parsed, [&](const import::ExpectedTensor &expected) {
    Tensor &tensor = tensors[expected.name];
    tensor.shape = expected.shape;
    size_t count = 1;
    for (int64_t size : expected.shape) count *= size_t(size);
    const RandomDistribution distribution = randomDistribution(expected.shape.size(), expected.shape.back());
    const uint64_t key = runtime::randomWeightKey(seed, expected.name);
    // The sum of two draws, because one is a bfloat16, which a float32 checkpoint is not limited to.
    for (size_t i = 0; i < count; ++i)
      tensor.values.push_back(runtime::randomWeight(key, i, distribution.mean, 0.75f * distribution.scale) +
                              runtime::randomWeight(key ^ 1, i, 0, 0.65f * distribution.scale));
  });
}

RandomCheckpoint::Tensor &RandomCheckpoint::operator[](const std::string &name) {
  EXPECT_TRUE(tensors.contains(name)) << name;
  return tensors[name];
}

RandomCheckpoint::Tensor &RandomCheckpoint::layer(size_t layer, const std::string &name) {
  return (*this)["model.layers." + std::to_string(layer) + "." + name];
}

void RandomCheckpoint::favour(const RandomModel &model, int64_t expert) {
  auto clear = [](std::span<float> row) { std::fill(row.begin(), row.end(), 0.0f); };
  for (int64_t id = 0; id < model.vocabulary; ++id) (*this)["model.embed_tokens.weight"].row(id)[0] = 1;
  for (size_t l = 0; l < model.kinds.size(); ++l) {
    clear(layer(l, model.kinds[l] ? "self_attn.o_proj.weight" : "self_attn.out_proj.weight").row(0));
    for (int64_t e = 0; e < model.experts; ++e) {
      clear(layer(l, "block_sparse_moe.experts." + std::to_string(e) + ".w2.weight").row(0));
      std::span<float> gate = layer(l, "block_sparse_moe.gate.weight").row(e);
      clear(gate);
      gate[0] = e == expert ? 1.0f : -0.1f * float(e);
    }
  }
}

const std::string &RandomCheckpoint::write(const Folder &folder) const {
  std::ostringstream header;
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    header << (data.empty() ? "{" : ",") << '"' << name << "\":{\"dtype\":\"F32\",\"shape\":[";
    for (size_t i = 0; i < tensor.shape.size(); ++i) header << (i ? "," : "") << tensor.shape[i];
    header << "],\"data_offsets\":[" << data.size() << ",";
    data.append(reinterpret_cast<const char *>(tensor.values.data()), tensor.values.size() * sizeof(float));
    header << data.size() << "]}";
  }
  header << "}";
  std::string text = header.str();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  folder.write("model.safetensors", std::string(reinterpret_cast<const char *>(&length), sizeof length) + text + data);
  folder.write("config.json", config);
  return folder.path();
}

} // namespace mmc::test

#include "test/E2E/RandomModels.h"

#include "runtime/src/RandomWeights.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace mmc::test {

int64_t Draw::between(int64_t low, int64_t high) {
  return low +
         int64_t(runtime::mixBits(runtime::mixBits(key) + ++counter * 0x9e3779b97f4a7c15u) % uint64_t(high - low + 1));
}

double Draw::real(double low, double high) { return low + (high - low) * double(between(0, 1023)) / 1024; }

// ------------------------------------------------------------------------------------------------ models

static std::vector<int> drawKinds(Draw &draw, int64_t layers) {
  std::vector<int> kinds(static_cast<size_t>(layers));
  const int64_t pattern = draw.between(0, 5), period = draw.between(2, 4);
  for (size_t i = 0; i < kinds.size(); ++i) switch (pattern) {
    case 0:
      kinds[i] = 0;
      break;
    case 1:
      kinds[i] = 1;
      break;
    case 2:
      kinds[i] = int64_t(i) % period == period - 1;
      break;
    case 3:
      kinds[i] = i == 0 || i + 1 == kinds.size();
      break;
    default:
      kinds[i] = int(draw.between(0, 1));
      break;
    }
  return kinds;
}

RandomModel drawModel(uint64_t seed) {
  Draw draw(seed);
  RandomModel m;
  m.seed = seed;
  m.native = draw.chance(0.3);
  m.postnorm = m.native || draw.chance(0.6);
  m.layers = draw.between(1, 6);
  m.hidden = 2 * draw.between(12, 80);
  m.intermediate = 2 * draw.between(20, 100);
  m.heads = draw.of<int64_t>({1, 2, 3, 4, 5, 6, 8, 12});
  do m.kvHeads = draw.between(1, m.heads);
  while (m.heads % m.kvHeads);
  m.headDim = draw.chance(0.5) ? 8 * draw.between(2, 12) : 16 * draw.between(1, 6);
  // The native class rotates all channels of a head.
  m.rotaryDim = m.native || draw.chance(0.3) ? m.headDim : 2 * draw.between(1, m.headDim / 2);
  m.experts = draw.between(1, 9);
  m.topK = draw.between(1, std::min<int64_t>(m.experts, 4));
  m.vocabulary = draw.between(50, 700);
  m.ropeTheta = draw.of({1e4, 5e5, 1e7});
  m.normEps = draw.of({1e-5, 1e-6});
  m.kinds = drawKinds(draw, m.layers);
  for (int i = 0; i < 6; ++i) m.scales.push_back(i % 2 ? draw.real(0.5, 1.5) : draw.real(0.75, 4));
  m.weightType = draw.chance(0.5) ? "bfloat16" : "float32";
  m.plan.recurrenceBlock = draw.of<uint32_t>({32, 64, 64, 128, 256});
  m.plan.maxModelLen = 1024;
  m.plan.maxNumBatchedTokens = 1024;
  return m;
}

std::string RandomModel::config() const {
  std::ostringstream out;
  out << "{\"model_type\": \"" << (native ? "minimax" : "minimax_text_01")
      << "\", \"hidden_act\": \"silu\", \"tie_word_embeddings\": false";
  auto field = [&](const char *name, auto value) { out << ",\n \"" << name << "\": " << value; };
  field("vocab_size", vocabulary), field("hidden_size", hidden), field("intermediate_size", intermediate);
  field("num_hidden_layers", layers), field("num_attention_heads", heads), field("num_key_value_heads", kvHeads),
      field("head_dim", headDim);
  field("num_local_experts", experts), field("num_experts_per_tok", topK), field("max_position_embeddings", 10240000);
  field("rms_norm_eps", normEps), field("rope_theta", ropeTheta), field("torch_dtype", '"' + weightType + '"');
  field("eos_token_id", "null");
  static const char *const names[2][6] = {
      {"layernorm_full_attention_alpha", "layernorm_full_attention_beta", "layernorm_linear_attention_alpha",
       "layernorm_linear_attention_beta", "layernorm_mlp_alpha", "layernorm_mlp_beta"},
      {"full_attn_alpha_factor", "full_attn_beta_factor", "linear_attn_alpha_factor", "linear_attn_beta_factor",
       "mlp_alpha_factor", "mlp_beta_factor"}};
  for (size_t i = 0; i < scales.size(); ++i) field(names[native][i], scales[i]);
  if (!native) field("rotary_dim", rotaryDim), field("postnorm", postnorm ? "true" : "false");
  std::string list;
  for (int kind : kinds)
    list += (list.empty() ? "" : ", ") + std::string(!native ? (kind ? "1" : "0")
                                                     : kind  ? "\"full_attention\""
                                                             : "\"linear_attention\"");
  field(native ? "layer_types" : "attn_type_list", "[" + list + "]");
  out << "}\n";
  return out.str();
}

std::string RandomModel::summary() const {
  std::ostringstream out;
  out << "seed " << seed << (native ? ", native" : "") << (postnorm ? "" : ", prenorm") << ", kinds ";
  for (int kind : kinds) out << kind;
  out << ", hidden " << hidden << ", intermediate " << intermediate << ", heads " << heads << "/" << kvHeads << " x "
      << headDim << ", rotary " << rotaryDim << ", experts " << topK << "/" << experts << ", vocabulary " << vocabulary
      << ", block " << plan.recurrenceBlock;
  return out.str();
}

// ------------------------------------------------------------------------------------------------ schedules

static size_t drawLength(Draw &draw) {
  switch (draw.between(0, 4)) {
  case 0:
    return size_t(draw.between(1, 3));
  case 1:
    return size_t(draw.between(62, 67));
  case 2:
    return size_t(draw.between(60, 150));
  default:
    return size_t(draw.between(2, 40));
  }
}

static size_t drawChunk(Draw &draw, size_t left) {
  const int64_t kind = draw.between(0, 9);
  const size_t chunk = kind < 4 ? 1 : kind < 5 ? 64 : kind < 6 ? left : size_t(draw.between(1, 60));
  return std::min(left, chunk);
}

Schedule drawSchedule(uint64_t seed, int64_t vocabulary) {
  Draw draw(seed ^ 0x5ced);
  Schedule schedule;
  schedule.slots = uint32_t(draw.between(1, 5));
  const int64_t count = draw.between(1, 7);
  for (int64_t s = 0; s < count; ++s)
    schedule.prompts.push_back(someTokens(drawLength(draw), int32_t(vocabulary), seed * 16 + uint64_t(s)));

  std::vector<size_t> done(schedule.prompts.size(), 0), alive;
  size_t next = 0;
  while (next < schedule.prompts.size() || !alive.empty()) {
    // New sequences come one by one, so that old and new ones share steps.
    if (next < schedule.prompts.size() && alive.size() < schedule.slots && (alive.empty() || draw.chance(0.6)))
      alive.push_back(next++);
    std::vector<RaggedEntry> step;
    for (size_t s : alive)
      if (alive.size() == 1 || draw.chance(0.7)) {
        const size_t chunk = drawChunk(draw, schedule.prompts[s].size() - done[s]);
        step.push_back({s, done[s], chunk});
        done[s] += chunk;
      }
    for (size_t i = step.size(); i > 1; --i) std::swap(step[i - 1], step[size_t(draw.between(0, int64_t(i) - 1))]);
    if (!step.empty()) schedule.steps.push_back(step);
    std::erase_if(alive, [&](size_t s) { return done[s] == schedule.prompts[s].size(); });
  }
  return schedule;
}

std::vector<std::vector<float>> runSchedule(const TestModel &model, const Schedule &schedule, uint32_t threads) {
  std::vector<std::vector<float>> rows(schedule.prompts.size());
  if (!model.ok()) return rows;
  TestSession session(model, threads, schedule.slots);
  std::vector<size_t> handles(schedule.prompts.size());
  for (const auto &step : schedule.steps) {
    std::vector<TestSession::Entry> entries;
    for (const RaggedEntry &entry : step) {
      if (entry.begin == 0) handles[entry.sequence] = session.add();
      entries.push_back(
          {handles[entry.sequence], std::span(schedule.prompts[entry.sequence]).subspan(entry.begin, entry.count)});
    }
    const auto results = session.step(entries);
    for (size_t i = 0; i < step.size(); ++i) {
      auto &all = rows[step[i].sequence];
      all.insert(all.end(), results[i].begin(), results[i].end());
      if (step[i].begin + step[i].count == schedule.prompts[step[i].sequence].size())
        session.remove(handles[step[i].sequence]);
    }
  }
  return rows;
}

// ------------------------------------------------------------------------------------------------ folders

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "mmc-random-XXXXXX").string();
  if (mkdtemp(name.data())) folder = name;
  EXPECT_FALSE(folder.empty());
}

Folder::~Folder() {
  std::error_code error;
  if (!folder.empty()) std::filesystem::remove_all(folder, error);
}

std::string Folder::write(const std::string &name, std::string_view contents) const {
  const std::string file = folder + "/" + name;
  std::ofstream stream(file, std::ios::binary);
  stream.write(contents.data(), std::streamsize(contents.size()));
  EXPECT_TRUE(stream.good()) << file;
  return file;
}

} // namespace mmc::test

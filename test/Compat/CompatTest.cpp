// Plans that earlier releases wrote still load and still give the golden logits.
#include "mmc/mmc.hpp"
#include "runtime/src/Safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace {

namespace fs = std::filesystem;
const std::string kModel = MMC_SOURCE_DIR "/test/Inputs/text01-tiny";

template <typename T> std::vector<T> read(const mmc::runtime::SafetensorsFile &file, const std::string &name) {
  const mmc::runtime::TensorInfo *tensor = file.find(name);
  if (!tensor) throw std::runtime_error("the golden file has no " + name);
  std::vector<T> values(tensor->bytes / sizeof(T));
  mmc::runtime::Status status = file.read(*tensor, 0, {reinterpret_cast<uint8_t *>(values.data()), tensor->bytes});
  if (!status.ok()) throw std::runtime_error(status.text());
  return values;
}

std::vector<std::string> frozenPlans() {
  std::vector<std::string> plans;
  for (const auto &entry : fs::directory_iterator(MMC_SOURCE_DIR "/test/Compat/plans"))
    if (entry.path().extension() == ".plan") plans.push_back(entry.path().string());
  std::sort(plans.begin(), plans.end());
  return plans;
}

TEST(CompatTest, EveryReleaseHasAFrozenPlan) { EXPECT_FALSE(frozenPlans().empty()); }

TEST(CompatTest, FrozenPlansGiveTheGoldenLogits) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    GTEST_SKIP() << "this machine has no x86-64-v3";
  auto golden = mmc::runtime::SafetensorsFile::open(kModel + "/golden.safetensors");
  ASSERT_TRUE(golden.ok()) << golden.status().text();
  auto ids = read<int32_t>(*golden, "case2.input_ids");
  auto positions = read<int32_t>(*golden, "case2.positions");
  auto expected = read<float>(*golden, "case2.logits");
  for (const std::string &path : frozenPlans()) {
    SCOPED_TRACE(path);
    mmc::Plan plan(path);
    mmc::Model model(plan, kModel);
    mmc::Session session(model);
    mmc::Sequence sequence(session);
    session.step({{sequence, ids, MMC_LOGITS_ALL}});
    const uint32_t vocabulary = plan.info().vocabulary;
    std::span<const float> logits = session.logits(0, vocabulary);
    ASSERT_EQ(logits.size(), ids.size() * vocabulary);
    double difference = 0, largest = 0;
    for (size_t p = 0; p < positions.size(); ++p)
      for (uint32_t v = 0; v < vocabulary; ++v) {
        const double want = expected[p * vocabulary + v], got = logits[size_t(positions[p]) * vocabulary + v];
        ASSERT_TRUE(std::isfinite(got));
        difference = std::max(difference, std::abs(got - want));
        largest = std::max(largest, std::abs(want));
      }
    EXPECT_LE(difference, 3e-5 * largest);
  }
}

} // namespace

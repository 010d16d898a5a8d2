//===- SamplerTest.cpp - greedy, draws, masks, stops -----------------------===//
//
// The expected draws come from a separate Python program (Philox by its definition, exp of the C library); the random
// bits from the published known answers of Philox 4x32-10.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Sampler.h"
#include "test/Text/TestSupport.h"

#include <cmath>
#include <limits>

namespace mmc::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> sixteenLogits() {
  std::vector<float> logits;
  for (int id = 0; id < 16; ++id) logits.push_back(static_cast<float>(id * 7 % 16) * 0.25f - 1.5f);
  return logits;
}

std::vector<int32_t> draws(const SamplingParameters &parameters, TokenMask mask = TokenMask()) {
  Result<Sampler> sampler = Sampler::create(parameters, std::move(mask));
  std::vector<int32_t> out;
  std::vector<float> logits = sixteenLogits();
  for (uint64_t step = 0; sampler && step < 24; ++step) out.push_back(*sampler->sample(logits, step, /*sequence=*/3));
  return out;
}

int32_t greedy(std::vector<float> logits, TokenMask mask = TokenMask()) {
  Result<int32_t> id = Sampler::create({}, std::move(mask))->sample(logits, 0);
  return id ? *id : -1;
}

TEST(Random, KnownAnswers) {
  EXPECT_EQ(randomBits(0, 0, 0), 0xE169C58D6627E8D5u);
  EXPECT_EQ(randomBits(~0ull, ~0ull, ~0ull), 0x41C83B0E408F276Du);
  EXPECT_EQ(randomBits(0x299F31D0A4093822, 0x0370734413198A2E, 0x85A308D3243F6A88), 0x94FDCCEBD16CFE09u);
}

TEST(Greedy, TakesTheLargestAndTheLowestIdOfTies) {
  EXPECT_EQ(greedy({0, 3, 1}), 1);
  EXPECT_EQ(greedy({1, 3, 3, 3}), 1);
  EXPECT_EQ(greedy({-0.0f, 0.0f}), 0);
  EXPECT_EQ(greedy({-kInfinity, -5, -kInfinity}), 1);
}

TEST(Greedy, NeverTakesASuppressedId) {
  TokenMask mask(5);
  mask.suppress(1);
  mask.suppress(-3);
  mask.suppress(99);
  mask.suppressFrom(3);
  EXPECT_EQ(greedy({0, 9, 1, 8, 7}, mask), 2);
}

TEST(Sampler, DrawsAsTheReference) {
  EXPECT_THAT(draws({.temperature = 0.8, .seed = 1234}),
              ElementsAre(11, 2, 4, 6, 15, 6, 11, 9, 2, 15, 13, 2, 2, 15, 2, 13, 11, 6, 4, 6, 11, 9, 11, 4));
  EXPECT_THAT(draws({.temperature = 1.5, .topK = 5, .seed = 1234}),
              ElementsAre(11, 2, 4, 9, 13, 4, 11, 11, 2, 13, 13, 2, 2, 13, 2, 13, 11, 4, 4, 4, 11, 9, 11, 4));
  EXPECT_THAT(draws({.temperature = 1.0, .topP = 0.6, .seed = 99}),
              ElementsAre(9, 9, 9, 2, 9, 9, 2, 9, 2, 4, 2, 2, 4, 2, 4, 2, 4, 9, 9, 9, 2, 11, 2, 2));
  TokenMask mask(16);
  mask.suppress(7);
  EXPECT_THAT(draws({.temperature = 2.0, .topK = 8, .topP = 0.7, .seed = 5}, mask),
              ElementsAre(4, 9, 9, 11, 2, 9, 11, 11, 2, 11, 11, 9, 9, 9, 9, 9, 2, 13, 2, 4, 13, 4, 13, 2));
}

TEST(Sampler, FrequenciesFollowTheProbabilities) {
  // exp(0), exp(-1), exp(-2) at temperature 2 of logits 4, 2, 0; a suppressed id and an impossible one never.
  std::vector<float> logits = {4, 2, 50, 0, -kInfinity};
  TokenMask mask(5);
  mask.suppress(2);
  Result<Sampler> sampler = Sampler::create({.temperature = 2, .seed = 42}, mask);
  constexpr int kDraws = 20000;
  double count[5] = {};
  for (int step = 0; step < kDraws; ++step) ++count[*sampler->sample(logits, step)];
  double total = 1 + std::exp(-1) + std::exp(-2);
  EXPECT_NEAR(count[0] / kDraws, 1 / total, 0.015); // over four standard deviations
  EXPECT_NEAR(count[1] / kDraws, std::exp(-1) / total, 0.015);
  EXPECT_NEAR(count[3] / kDraws, std::exp(-2) / total, 0.015);
  EXPECT_EQ(count[2] + count[4], 0);
}

TEST(Sampler, SwitchedOffFiltersChangeNothing) {
  std::vector<int32_t> plain = draws({.temperature = 0.8, .seed = 1});
  EXPECT_EQ(draws({.temperature = 0.8, .topK = -1, .seed = 1}), plain);
  EXPECT_EQ(draws({.temperature = 0.8, .topK = 16, .topP = 1, .seed = 1}), plain);
  EXPECT_NE(draws({.temperature = 0.8, .seed = 2}), plain);
  EXPECT_EQ(draws({.temperature = 0.8, .topK = 1, .seed = 1}), std::vector<int32_t>(24, 9));
  EXPECT_EQ(draws({.temperature = 0.8, .topP = 1e-9, .seed = 1}), std::vector<int32_t>(24, 9));
  EXPECT_EQ(draws({.temperature = 1e-300, .seed = 1}), std::vector<int32_t>(24, 9));
}

TEST(Sampler, ExtremeLogitsDoNotOverflow) {
  Result<Sampler> sampler = Sampler::create({.temperature = 1e-3, .seed = 1});
  std::vector<float> logits = {-3.4e38f, 3.4e38f, 3.3e38f};
  EXPECT_EQ(*sampler->sample(logits, 0), 1);
}

TEST(Sampler, BadRowsAreErrors) {
  auto failure = [](std::vector<float> logits, double temperature, TokenMask mask = TokenMask()) {
    Result<int32_t> id = Sampler::create({.temperature = temperature}, std::move(mask))->sample(logits, 0);
    return id ? "chose " + std::to_string(*id) : id.error().describe();
  };
  for (double temperature : {0.0, 1.0}) {
    EXPECT_THAT(failure({1, NAN, 2}, temperature), HasSubstr("MMC-E0714: logits: NaN at id 1"));
    EXPECT_THAT(failure({1, 2, kInfinity}, temperature), HasSubstr("infinity at id 2"));
    EXPECT_THAT(failure({}, temperature), HasSubstr("no id can be chosen"));
    EXPECT_THAT(failure({-kInfinity}, temperature), HasSubstr("no id can be chosen"));
    TokenMask all(2);
    all.suppressFrom(0);
    EXPECT_THAT(failure({1, 2}, temperature, all), HasSubstr("no id can be chosen"));
    EXPECT_THAT(failure({1, 2, 3}, temperature, all), HasSubstr("expected 2 values, found 3"));
  }
}

TEST(Sampler, BadParametersAreErrors) {
  auto failure = [](const SamplingParameters &parameters) {
    Result<Sampler> sampler = Sampler::create(parameters);
    return sampler ? std::string("accepted") : sampler.error().describe();
  };
  EXPECT_THAT(failure({.temperature = -1}), HasSubstr("MMC-E0713: temperature"));
  EXPECT_THAT(failure({.temperature = NAN}), HasSubstr("temperature"));
  EXPECT_THAT(failure({.temperature = INFINITY}), HasSubstr("temperature"));
  EXPECT_THAT(failure({.topK = -2}), HasSubstr("top_k"));
  EXPECT_THAT(failure({.topP = 0}), HasSubstr("top_p"));
  EXPECT_THAT(failure({.topP = 1.01}), HasSubstr("top_p"));
  EXPECT_THAT(failure({.topP = NAN}), HasSubstr("top_p"));
}

TEST(StopTokens, IsASet) {
  StopTokens stop({7, 2, 7});
  EXPECT_TRUE(stop.contains(2));
  EXPECT_TRUE(stop.contains(7));
  EXPECT_FALSE(stop.contains(3));
  EXPECT_FALSE(StopTokens().contains(0));
  EXPECT_THAT(stop.ids(), ElementsAre(2, 7));
}

} // namespace
} // namespace mmc::text

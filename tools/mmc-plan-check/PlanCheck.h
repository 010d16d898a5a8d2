// A plan against recorded answers, and its speed, through the runtime's C ABI alone: no compiler, no tokenizer.
#pragma once

#include <mmc/mmc.hpp>
#include <nlohmann/json.hpp>

namespace mmc::plancheck {

using nlohmann::json;

/// Of nothing it is infinite: no answer is no good answer.
double median(std::vector<double> values);

/// Recorded answers: {"vocabulary", "limit", "cases": [{"ids", "greedy", "positions", "first_row"}]}, and beside them
/// the logits of all cases, float32, row by row: row `first_row` + i is that of position i of the case.
struct Expectations {
  json cases;
  std::vector<float> rows;
};

/// Reads FILE.json and FILE.f32; throws std::runtime_error with what is wrong.
Expectations readExpectations(const std::string &stem);

/// Feeds the first `mostCases` cases, each whole, and holds the rows against the recorded ones: the median of the
/// relative L2 errors of all positions against `limit`; then decodes greedily, and holds the tokens against the
/// recorded ones: equal, or first different where the recorded one is among the two likeliest, within 2 % of the row's
/// largest absolute value.
/// {"good", "median_rel_l2", "limit", "positions", "greedy": [{"tokens", "equal", "good"}]}
json checkAnswers(const Model &model, const mmc_plan_info &info, const Expectations &expected, size_t mostCases);

/// Times of steps: prompts of each length, and decoding with each number of sequences behind a prompt of `depth`; each
/// the median of `repeats`. With a bandwidth, in bytes per second, also how much of it a decode step of one sequence
/// uses, by the bytes of weights that it reads at least.
struct Request {
  std::vector<size_t> prompts, sequences;
  size_t depth = 64, steps = 16, repeats = 5;
  bool eager = false; // launch by launch, without graphs
  double bandwidth = 0;
};
json measure(const Model &model, const mmc_plan_info &info, const Request &request);

} // namespace mmc::plancheck

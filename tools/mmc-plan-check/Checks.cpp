// Implements the comparison with recorded answers.
#include "tools/mmc-plan-check/PlanCheck.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

namespace mmc::plancheck {

namespace {

/// Infinite where a number is not finite, so that no median of errors is good by chance.
double relativeL2(std::span<const float> found, const float *expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    difference += (double(found[i]) - expected[i]) * (double(found[i]) - expected[i]);
    norm += double(expected[i]) * expected[i];
  }
  const double error = std::sqrt(difference / norm);
  return std::isfinite(error) ? error : HUGE_VAL;
}

/// The likeliest id that is no padding; ties go to the lowest.
int32_t likeliest(std::span<const float> row, std::span<const int32_t> suppressed) {
  int32_t best = -1;
  for (int32_t id = 0; id < int32_t(row.size()); ++id)
    if (!std::binary_search(suppressed.begin(), suppressed.end(), id) &&
        (best < 0 || row[size_t(id)] > row[size_t(best)]))
      best = id;
  return best;
}

bool nearTie(std::span<const float> row, int32_t recorded, int32_t found) {
  const float wanted = row[size_t(recorded)];
  float largest = 0;
  for (float value : row) largest = std::max(largest, std::fabs(value));
  return std::count_if(row.begin(), row.end(), [&](float value) { return value > wanted; }) <= 1 &&
         row[size_t(found)] - wanted <= 0.02f * largest;
}

/// Follows the recorded tokens as long as the model agrees.
json checkGreedy(Session &session, Sequence &sequence, std::span<const float> row, const json &greedy,
                 std::span<const int32_t> suppressed) {
  const auto recorded = greedy.get<std::vector<int32_t>>();
  std::vector<float> last(row.begin(), row.end());
  std::vector<int32_t> tokens;
  json result = {{"good", true}};
  for (int32_t wanted : recorded) {
    tokens.push_back(likeliest(last, suppressed));
    if (tokens.back() != wanted) {
      result["good"] = nearTie(last, wanted, tokens.back());
      break;
    }
    if (tokens.size() == recorded.size()) break;
    session.step({{sequence, std::span(&tokens.back(), 1), MMC_LOGITS_LAST}});
    const std::span<const float> next = session.logits(0, uint32_t(last.size()));
    last.assign(next.begin(), next.end());
  }
  result["tokens"] = tokens;
  result["equal"] = tokens == recorded;
  return result;
}

} // namespace

double median(std::vector<double> values) {
  if (values.empty()) return HUGE_VAL;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Expectations readExpectations(const std::string &stem) {
  Expectations expected;
  std::ifstream text(stem + ".json");
  expected.cases = json::parse(text, nullptr, false);
  if (expected.cases.is_discarded() || !expected.cases.contains("cases"))
    throw std::runtime_error("'" + stem + ".json' has no cases, expected what make-bundle writes");
  std::ifstream numbers(stem + ".f32", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(numbers), {});
  expected.rows.resize(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), expected.rows.size() * sizeof(float), reinterpret_cast<char *>(expected.rows.data()));
  size_t rows = 0;
  for (const json &one : expected.cases["cases"])
    rows = std::max(rows, one["first_row"].get<size_t>() + one["positions"].size());
  if (expected.rows.size() < rows * expected.cases["vocabulary"].get<size_t>())
    throw std::runtime_error("'" + stem + ".f32' has " + std::to_string(expected.rows.size()) + " numbers, expected " +
                             std::to_string(rows) + " rows");
  return expected;
}

json checkAnswers(const Model &model, const mmc_plan_info &info, const Expectations &expected, size_t mostCases) {
  const size_t vocabulary = expected.cases["vocabulary"];
  if (vocabulary != info.vocabulary)
    throw std::runtime_error("the plan's vocabulary is " + std::to_string(info.vocabulary) + ", expected " +
                             std::to_string(vocabulary));
  std::vector<double> errors;
  json greedy = json::array();
  bool good = true;
  Session session(model);
  for (const json &one : expected.cases["cases"]) {
    if (mostCases-- == 0) break;
    const auto ids = one["ids"].get<std::vector<int32_t>>();
    const auto positions = one["positions"].get<std::vector<size_t>>();
    Sequence sequence(session);
    session.step({{sequence, ids, MMC_LOGITS_ALL}});
    const std::span<const float> rows = session.logits(0, info.vocabulary);
    const size_t first = one["first_row"];
    for (size_t i = 0; i < positions.size(); ++i)
      errors.push_back(relativeL2(rows.subspan(positions[i] * vocabulary, vocabulary),
                                  expected.rows.data() + (first + i) * vocabulary));
    if (one["greedy"].empty()) continue;
    greedy.push_back(checkGreedy(session, sequence, rows.subspan((ids.size() - 1) * vocabulary), one["greedy"],
                                 model.suppressedTokens()));
    good = good && greedy.back()["good"];
  }
  const double found = median(errors), limit = expected.cases["limit"];
  good = good && found <= limit && *std::max_element(errors.begin(), errors.end()) < HUGE_VAL;
  return {{"good", good}, {"median_rel_l2", found}, {"limit", limit}, {"positions", errors.size()}, {"greedy", greedy}};
}

} // namespace mmc::plancheck

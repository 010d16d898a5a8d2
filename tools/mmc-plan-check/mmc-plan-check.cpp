// mmc-plan-check: a plan against recorded answers, and its speed, on a machine with nothing but a driver.
// Usage: mmc-plan-check PLAN --weights FOLDER|random [--variant sm_90a] [--expect STEM] [--prompts 512,4096]
//                       [--sequences 1,32] [--depth N] [--steps N] [--repeats N] [--eager] [--most-cases N]
//                       [--bandwidth BYTES PER SECOND] [--json FILE]
// Exit code 0 where the answers are good, 1 where not, as mmc's otherwise.
#include "tools/mmc-plan-check/PlanCheck.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

int usage() {
  std::fprintf(
      stderr,
      "usage: mmc-plan-check PLAN --weights FOLDER|random [--variant sm_90a] [--expect STEM] [--prompts 512,4096] "
      "[--sequences 1,32] [--depth N] [--steps N] [--repeats N] [--eager] [--most-cases N] [--bandwidth BYTES PER "
      "SECOND] [--json FILE]\n");
  return 2;
}

std::vector<size_t> numbersOf(const std::string &text) {
  std::vector<size_t> numbers;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, ',');) numbers.push_back(std::strtoull(one.c_str(), nullptr, 10));
  return numbers;
}

struct Options {
  std::string plan, weights, expect, variant, json;
  mmc::plancheck::Request request;
  size_t mostCases = ~size_t(0);
};

bool parse(int count, char **values, Options &options) {
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (!word.starts_with("--")) {
      options.plan = word;
      continue;
    }
    if (word == "--eager") {
      options.request.eager = true;
      continue;
    }
    if (++i == count) return false;
    if (word == "--weights")
      options.weights = values[i];
    else if (word == "--expect")
      options.expect = values[i];
    else if (word == "--prompts")
      options.request.prompts = numbersOf(values[i]);
    else if (word == "--sequences")
      options.request.sequences = numbersOf(values[i]);
    else if (word == "--bandwidth")
      options.request.bandwidth = std::strtod(values[i], nullptr);
    else if (word == "--variant")
      options.variant = values[i];
    else if (word == "--depth")
      options.request.depth = std::strtoull(values[i], nullptr, 10);
    else if (word == "--repeats")
      options.request.repeats = std::strtoull(values[i], nullptr, 10);
    else if (word == "--steps")
      options.request.steps = std::strtoull(values[i], nullptr, 10);
    else if (word == "--most-cases")
      options.mostCases = std::strtoull(values[i], nullptr, 10);
    else if (word == "--json")
      options.json = values[i];
    else
      return false;
  }
  // What is no number reads as 0, and none of these may be.
  const mmc::plancheck::Request &request = options.request;
  std::vector<size_t> counts = {request.repeats, request.steps, options.mostCases};
  counts.insert(counts.end(), request.prompts.begin(), request.prompts.end());
  counts.insert(counts.end(), request.sequences.begin(), request.sequences.end());
  return !options.plan.empty() && !options.weights.empty() &&
         std::find(counts.begin(), counts.end(), 0) == counts.end();
}

int run(const Options &options) {
  const mmc::Plan plan(options.plan, {}, false, options.variant);
  const mmc_plan_info info = plan.info();
  const mmc::Model model =
      options.weights == "random" ? mmc::Model(plan, uint64_t(0)) : mmc::Model(plan, options.weights);
  nlohmann::json report = {{"plan", info.digest}, {"model", info.model},         {"target", info.target},
                           {"dtype", info.dtype}, {"variant", info.cpu_variant}, {"weights_bytes", info.weights_bytes}};
  bool good = true;
  if (!options.expect.empty()) {
    report["answers"] = checkAnswers(model, info, mmc::plancheck::readExpectations(options.expect), options.mostCases);
    good = report["answers"]["good"];
  }
  if (!options.request.prompts.empty() || !options.request.sequences.empty())
    report["speed"] = measure(model, info, options.request);
  const std::string text = report.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (options.json.empty()) {
    std::cout << text;
  } else {
    std::ofstream out(options.json, std::ios::binary);
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write '" + options.json + "'");
  }
  return good ? 0 : 1;
}

} // namespace

int main(int count, char **values) {
  Options options;
  if (!parse(count, values, options)) return usage();
  try {
    return run(options);
  } catch (const mmc::Error &error) {
    std::fprintf(stderr, "mmc-plan-check: error: %s: %s\nhint: %s\n", error.identifier().c_str(), error.what(),
                 error.hint().c_str());
    return int(error.code());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "mmc-plan-check: error: %s\nhint: use the files of one bundle together\n", error.what());
    return 1;
  }
}

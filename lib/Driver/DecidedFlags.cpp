// Flags that shape a plan, given where nothing is left to shape: with a plan, or for the interpreter.
#include "lib/Driver/CompileFlags.h"
#include "lib/Driver/PlanReport.h"

#include "runtime/src/Layout.h"

#include <algorithm>
#include <cstdlib>

namespace mmc::driver {

namespace {

/// One spelling of a list whose order means nothing.
std::string sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return CLI::detail::join(names, ",");
}

std::string withoutFlag(const CompileFlag &flag, const char *otherwise) {
  const std::string variable = environmentName(flag.name);
  return cat("leave ", flag.name, " out", getenv(variable.c_str()) ? cat(" (or unset ", variable, ")") : "", otherwise);
}

} // namespace

Status checkAgainstPlan(const CompileFlags &flags, const runtime::PlanTables &plan) {
  const std::string ranks = std::to_string(plan.ranks);
  const std::map<std::string, std::string> decided = {
      {"--target", sorted(targetsOf(plan))},
      {"--dtype", runtime::dtypeName(plan.dtype)},
      {"--quantization", "none"},
      {"--devices", ranks},
      {"--tensor-parallel-size", ranks},
      {"--ep", "1"},
      {"--etp", "1"},
      {"--sp", "1"},
      {"--rank-shapes", "1"},
      {"--max-model-len", std::to_string(plan.maxModelLen)},
      {"--max-num-seqs", std::to_string(plan.maxNumSeqs)},
      {"--max-num-batched-tokens", std::to_string(plan.maxNumBatchedTokens)},
      {"--recurrence-block", std::to_string(plan.recurrenceBlock)},
      {"--cpu-variants", plan.target == "cpu" ? sorted(plan.variants) : "none"}};
  for (const CompileFlag &flag : flags.declared) {
    if (flag.option->empty() || flag.name == "--cache-dir") continue;
    const std::string given = flag.value();
    const auto found = decided.find(flag.name);
    if (found != decided.end() && found->second == given) continue;
    return Status(kUsage,
                  found != decided.end()
                      ? cat(flag.name, ": found ", given, ", the plan was compiled already, with ", found->second)
                      : cat(flag.name, ": found ", given, ", the plan was compiled already, and no pass runs"),
                  withoutFlag(flag, ", or compile the model again"));
  }
  return {};
}

Status checkAgainstInterpreter(const CompileFlags &flags) {
  const std::vector<std::string> used = {"--target", "--dtype", "--max-model-len", "--cache-dir"};
  const std::map<std::string, std::string> decided = {
      {"--quantization", "none"},      {"--devices", "1"}, {"--ep", "1"},
      {"--tensor-parallel-size", "1"}, {"--etp", "1"},     {"--sp", "1"},
      {"--rank-shapes", "1"}};
  for (const CompileFlag &flag : flags.declared) {
    if (flag.option->empty() || std::find(used.begin(), used.end(), flag.name) != used.end()) continue;
    const std::string given = flag.value();
    if (const auto found = decided.find(flag.name); found != decided.end() && found->second == given) continue;
    return Status(kUsage, cat(flag.name, ": found ", given, ", and --target reference compiles nothing"),
                  withoutFlag(flag, ", or give another --target"));
  }
  return {};
}

std::string flagText(const std::vector<std::string> &values) { return sorted(values); }

} // namespace mmc::driver

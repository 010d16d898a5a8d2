#include "lib/Compiler/Targets.h"

#include "lib/Compiler/Errors.h"
#include "runtime/src/Names.h"

#include <algorithm>

namespace mmc {

using runtime::Status;

static const std::vector<std::string> kArchitectures = {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a"};
static const std::vector<std::string> kEmulated = {"portable", "sm_90a"};

static bool contains(const std::vector<std::string> &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

runtime::Expected<Target> parseTarget(const std::vector<std::string> &names) {
  Target target;
  for (const std::string &name : names) {
    const size_t colon = name.find(':');
    const std::string family = name.substr(0, colon);
    std::string variant = colon == std::string::npos ? "" : name.substr(colon + 1);
    if (family != "cpu" && family != "cuda" && family != "cuda-emu")
      return Status(compiler::kUnknownTarget,
                    "--target: found '" + name + "', expected cpu, cuda:ARCHITECTURE or cuda-emu:FAMILY");
    if (!target.family.empty() && (family != target.family || family == "cpu"))
      return Status(compiler::kOption, "--target: one plan cannot hold '" + names.front() + "' and '" + name + "'",
                    "compile a plan for each");
    target.family = family;
    if (family == "cpu") {
      if (colon == std::string::npos) continue;
      return Status(compiler::kOption, "--target: found '" + name + "', expected cpu without a variant",
                    "give --cpu-variants " + variant);
    }
    if (colon == std::string::npos) variant = "sm_90a";
    const std::vector<std::string> &known = family == "cuda" ? kArchitectures : kEmulated;
    if (!contains(known, variant))
      return Status(compiler::kUnknownTarget, "--target: found '" + name + "', expected " + family + ": with one of " +
                                                  runtime::joinNames(known));
    if (contains(target.variants, variant))
      return Status(compiler::kOption, "--target: '" + family + ":" + variant + "' is named twice", "name it once");
    target.variants.push_back(variant);
  }
  if (target.family.empty()) return Status(compiler::kOption, "--target is empty", "give --target cpu");
  return target;
}

std::string targetText(const Target &target) {
  std::string text = target.variants.empty() ? familyOf(target) : "";
  for (const std::string &variant : target.variants) text += (text.empty() ? "" : ",") + target.family + ":" + variant;
  return text;
}

} // namespace mmc

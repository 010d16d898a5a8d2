// The spelling of --target: a family of targets and what of it one plan holds.
#pragma once

#include "runtime/src/Status.h"

#include <string>
#include <vector>

namespace mmc {

/// `cpu`; `cuda` with the architectures of its cubins; `cuda-emu` with the families of kernels that it runs.
struct Target {
  std::string family;
  std::vector<std::string> variants; // empty: cpu
};

/// From `cpu`, `cuda:sm_90a`, `cuda-emu:portable` and the like; `cuda` and `cuda-emu` alone mean sm_90a. Fails for
/// unknown names, for one that is named twice, and for families that one plan cannot hold together.
runtime::Expected<Target> parseTarget(const std::vector<std::string> &names);

/// The family; where none was named, the cpu.
inline std::string familyOf(const Target &target) { return target.family.empty() ? "cpu" : target.family; }

/// As a user would write it: `cuda:sm_90a,cuda:sm_80`.
std::string targetText(const Target &target);

} // namespace mmc

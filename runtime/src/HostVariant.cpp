// Which compiled variant of the kernels this machine executes.
#include "runtime/src/Errors.h"
#include "runtime/src/HostObject.h"
#include "runtime/src/Names.h"

#include <algorithm>
#include <cpuid.h>
#include <iterator>

namespace mmc::runtime {

static constexpr const char *kVariants[] = {"x86-64-v3", "avx512", "avx512-bf16"};

std::span<const char *const> knownVariants() { return kVariants; }

/// CPUID leaf 7, subleaf 1, EAX bit 5; the compilers' own test for it needs newer versions than we support.
static bool hasAvx512Bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5));
}

bool hostExecutes(const std::string &variant) {
  // __builtin_cpu_supports also asks the operating system (XCR0) whether it saves the registers.
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("bmi");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (variant == "x86-64-v3") return v3;
  if (variant == "avx512") return v4;
  if (variant == "avx512-bf16") return v4 && hasAvx512Bf16();
  return false;
}

Expected<size_t> chooseVariant(std::span<const std::string> variants, const std::string &wanted) {
  auto position = [&](const std::string &name) {
    return size_t(std::find(variants.begin(), variants.end(), name) - variants.begin());
  };
  if (!wanted.empty()) {
    if (position(wanted) == variants.size())
      return Status(kVariantMissing, "the plan has no cpu variant '" + wanted + "', it has " + joinNames(variants));
    if (!hostExecutes(wanted))
      return Status(kVariantMissing, "this machine does not execute cpu variant '" + wanted + "'");
    return position(wanted);
  }
  for (auto name = std::rbegin(kVariants); name != std::rend(kVariants); ++name)
    if (position(*name) != variants.size() && hostExecutes(*name)) return position(*name);
  return Status(kVariantMissing, "this machine executes none of the plan's cpu variants: " + joinNames(variants),
                "compile the model for x86-64-v3, or run on a newer machine");
}

} // namespace mmc::runtime

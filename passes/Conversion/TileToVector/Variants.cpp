// Names of the CPU variants, in plans, on the command line and in symbols.
#include "lib/Target/CPU/CompileCpu.h"

#include <algorithm>
#include <array>

using namespace mmc::cpu;

static constexpr std::array kVariants{Variant::x86_64_v3, Variant::avx512, Variant::avx512_bf16};

std::span<const Variant> mmc::cpu::allVariants() { return kVariants; }

const char *mmc::cpu::variantName(Variant variant) {
  switch (variant) {
  case Variant::x86_64_v3:
    return "x86-64-v3";
  case Variant::avx512:
    return "avx512";
  case Variant::avx512_bf16:
    return "avx512-bf16";
  }
  return "unknown";
}

std::optional<Variant> mmc::cpu::parseVariant(std::string_view name) {
  for (Variant variant : kVariants)
    if (name == variantName(variant)) return variant;
  return std::nullopt;
}

std::string mmc::cpu::kernelSymbol(std::string_view kernel, Variant variant) {
  std::string suffix = variantName(variant);
  std::replace(suffix.begin(), suffix.end(), '-', '_');
  return std::string(kernel) + "__" + suffix;
}

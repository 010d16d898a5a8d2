// The host object of a plan: an ELF shared object with the kernels of all CPU variants.
//
// checkHostObject looks at the form only and never maps anything; it makes sure that a truncated or foreign object, or
// one that needs more than itself, is refused with a reason before the dynamic loader sees it. It does not make hostile
// code safe: code is trusted because the plan's digest covers it and because the user chose the plan.
//
// Mapping invariant: every object is opened under a name that no other object of this process has or had. glibc returns
// an already loaded library when it is asked for the same name again, even if another file is behind it by now.
#pragma once

#include "runtime/src/Status.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mmc::runtime {

/// A kernel's entry: works on points [begin, end) of its domain. `arguments` are 8-byte words, `scratch` is 64-byte
/// aligned.
using KernelFunction = void (*)(const void *arguments, int64_t begin, int64_t end, void *scratch);

/// Checks that `bytes` is a whole x86-64 ELF shared object without dependencies, undefined symbols or initialisers, and
/// that it defines each of `symbols` as a function. With `records`, parallel to `symbols`, the constant beside each
/// function has exactly that text; an empty text asks for a function without one.
Status checkHostObject(std::span<const uint8_t> bytes, std::span<const std::string> symbols,
                       std::span<const std::string> records = {});

/// A mapped host object; unmapped when destroyed. Movable.
class HostObject {
public:
  HostObject() = default;
  ~HostObject();
  HostObject(HostObject &&other) noexcept;
  HostObject &operator=(HostObject &&other) noexcept;

  /// Maps an object whose digest and form were checked.
  static Expected<HostObject> map(std::span<const uint8_t> bytes);
  /// The address of a symbol, or null.
  KernelFunction find(const std::string &symbol) const;

private:
  void *handle = nullptr;
  int descriptor = -1;
};

/// The CPU variants that the runtime knows, narrowest first: "x86-64-v3", "avx512", "avx512-bf16".
std::span<const char *const> knownVariants();
/// Whether this machine, and its operating system, execute the variant; false for unknown names.
bool hostExecutes(const std::string &variant);
/// The index in `variants` to use: `wanted`, or the widest executable one where `wanted` is empty.
Expected<size_t> chooseVariant(std::span<const std::string> variants, const std::string &wanted);

} // namespace mmc::runtime

// The CPU target's entry point: tile kernels to one shared object that needs nothing at load.
//
// Each tile.kernel becomes, per variant, a C function
//
//   void NAME__VARIANT(const void *args, int64_t begin, int64_t end, void *scratch)
//
// that runs the work points [begin, end) of the kernel's domain, numbered row-major with the last dimension fastest.
// Ranges may run at the same time on several threads; each call needs its own scratch memory. `args` is an array of
// 8-byte words in the order of the kernel's arguments: a view is the pointer to its first element; a paged view is two
// words, the pool's pointer and the pointer to the page table (int32); a work list is the pointer to its records, int32
// x 4 of (slot, row, rows, position); an index is a 64-bit integer. The object has no undefined symbol, no DT_NEEDED
// and no relocation that names a symbol.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace mmc::cpu {

/// What a variant needs of the machine, and the name that plans and `--cpu-variant` use.
enum class Variant : uint8_t {
  x86_64_v3 = 0,  ///< "x86-64-v3": AVX2 and FMA, 8 lanes of f32.
  avx512 = 1,     ///< "avx512": x86-64-v4, 16 lanes.
  avx512_bf16 = 2 ///< "avx512-bf16": x86-64-v4 with AVX512-BF16, whose dot products take bf16 pairs.
};

/// All variants, from the least to the most demanding.
std::span<const Variant> allVariants();

/// The variant's name with hyphens.
const char *variantName(Variant variant);

/// The variant of that name, or nothing.
std::optional<Variant> parseVariant(std::string_view name);

/// `kernel` and the variant as one symbol: "NAME__x86_64_v3", "NAME__avx512", "NAME__avx512_bf16".
std::string kernelSymbol(std::string_view kernel, Variant variant);

struct CpuOptions {
  std::vector<Variant> variants = {Variant::x86_64_v3, Variant::avx512, Variant::avx512_bf16};
  /// Threads that compile; 0 is as many as the machine has. The bytes do not depend on it.
  unsigned threads = 0;
  /// For tests: compile the 16-lane variants for x86-64-v3, with the bf16 dot product written out in plain arithmetic.
  /// Their logic then runs on machines without AVX-512.
  bool emulateAvx512 = false;
  /// What the object says beside each function, as the constant SYMBOL__record: the runtime compares it with the plan.
  /// Given the kernel's name and the scratch bytes of a call; absent: no constants.
  std::function<std::string(const std::string &kernel, uint64_t scratchBytes)> record = {};
  /// Keep the optimised LLVM IR of every function as text.
  bool keepLlvm = false;
};

struct CpuKernel {
  std::string name;
  Variant variant = Variant::x86_64_v3;
  std::string symbol;
  /// Bytes of scratch memory that one call needs, aligned to 64.
  uint64_t scratchBytes = 0;
  /// The optimised LLVM IR, with CpuOptions::keepLlvm.
  std::string llvm;
};

struct CpuObject {
  /// The shared object's bytes: an ELF file, the same for the same input and options.
  std::string elf;
  /// One entry per kernel and variant, kernels in the module's order, variants in that of the options.
  std::vector<CpuKernel> kernels;
};

/// Compiles every tile.kernel of `module`, which stays as it is. Other ops of the module are ignored. On failure
/// returns nothing, sets `error` to one line and has reported details to the context's diagnostic handlers. Not to be
/// called twice at a time on one context.
std::optional<CpuObject> compileCpu(mlir::ModuleOp module, const CpuOptions &options, std::string &error);

} // namespace mmc::cpu

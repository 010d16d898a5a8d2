// cuGetProcAddress: entry points by the names that a program's source has, without the suffix of a version.
#include "runtime/cuda/emulation/driver/Entries.h"

#include <cstring>

namespace mmc::cuda {

namespace {

struct Symbol {
  const char *name;
  void *function;
};

const Symbol kSymbols[] = {
#define MMC_SYMBOL(field, symbol, ...) {#symbol, reinterpret_cast<void *>(&symbol)},
    MMC_CUDA_DRIVER_ENTRIES(MMC_SYMBOL)
#undef MMC_SYMBOL
#define MMC_SYMBOL(symbol, ...) {#symbol, reinterpret_cast<void *>(&symbol)},
        MMC_EMU_MORE_ENTRIES(MMC_SYMBOL)
#undef MMC_SYMBOL
};

bool names(const char *symbol, const char *asked) {
  const size_t length = std::strlen(asked);
  if (std::strncmp(symbol, asked, length) != 0) return false;
  return !symbol[length] || !std::strcmp(symbol + length, "_v2");
}

} // namespace

extern "C" Result cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags,
                                      unsigned *status) {
  enum Status : unsigned { found = 0, unknownSymbol = 1, tooOld = 2 };
  constexpr uint64_t kPerThreadDefaultStream = 2;
  if (!name || !function || (flags & kPerThreadDefaultStream)) return Result::invalidValue;
  *function = nullptr;
  for (const Symbol &symbol : kSymbols)
    if (names(symbol.name, name) && (!*function || std::strlen(symbol.name) > std::strlen(name)))
      *function = symbol.function; // the second version of two
  const bool known = *function != nullptr;
  if (known && version > mmc::emu::driver::kVersion) *function = nullptr;
  if (status) *status = !known ? unknownSymbol : *function ? found : tooOld;
  return *function ? Result::success : Result::notFound;
}

} // namespace mmc::cuda

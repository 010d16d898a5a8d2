// A CUDA driver that is another one: every entry point of the runtime's table is a jump to that of the library that
// MMC_PROFILED_DRIVER names (default: libcuda.so.1). Launches.cpp has the ones that do more.
//
// Invariant: the jumps are weak symbols, so that a function of the same name elsewhere in this library takes their
// place; they keep every register, whatever an entry point's arguments are.
#include "runtime/cuda/profile/Forward.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

#define MMC_JUMP(field, symbol, ...)                                                                                   \
  extern "C" {                                                                                                         \
  void *mmcProfiled_##symbol = nullptr;                                                                                \
  }                                                                                                                    \
  asm(".text\n.weak " #symbol "\n.type " #symbol ", @function\n" #symbol ":\njmp *mmcProfiled_" #symbol                \
      "(%rip)\n.size " #symbol ", . - " #symbol "\n");
MMC_CUDA_DRIVER_ENTRIES(MMC_JUMP)

namespace {

/// What an entry point does that the library lacks.
unsigned absent() { return unsigned(mmc::cuda::Result::noDevice); }

__attribute__((constructor)) void open() {
  const char *named = std::getenv("MMC_PROFILED_DRIVER");
  const char *path = named && *named ? named : mmc::cuda::kSystemDriver;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) std::fprintf(stderr, "mmc_cuda_profile: cannot open the driver '%s': %s\n", path, dlerror());
  const auto find = [&](const char *symbol) {
    void *found = library ? dlsym(library, symbol) : nullptr;
    return found ? found : reinterpret_cast<void *>(&absent);
  };
#define MMC_FIND(field, symbol, ...) mmcProfiled_##symbol = find(#symbol);
  MMC_CUDA_DRIVER_ENTRIES(MMC_FIND)
}

} // namespace

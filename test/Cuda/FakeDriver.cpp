// A library that looks like a CUDA driver and does nothing: every function returns a number that its name determines,
// except for a few whose answer the environment decides. For the test of what opens drivers.
#include "runtime/cuda/driver/DriverApi.h"

#include <cstdlib>
#include <cstring>

namespace {

unsigned numberOf(const char *name) {
  unsigned sum = 5381;
  for (; *name; ++name) sum = sum * 33 + static_cast<unsigned char>(*name);
  return sum;
}

unsigned setting(const char *name, unsigned otherwise) {
  const char *text = getenv(name);
  return text ? unsigned(atoi(text)) : otherwise;
}

unsigned answer(const char *symbol, void *first, const char **second) {
  if (!strcmp(symbol, "cuInit")) return setting("MMC_FAKE_INIT", 0);
  if (!strcmp(symbol, "cuDriverGetVersion")) {
    *static_cast<int *>(first) = int(setting("MMC_FAKE_VERSION", 13000));
    return setting("MMC_FAKE_VERSION_RESULT", 0);
  }
  const bool name = !strcmp(symbol, "cuGetErrorName");
  if (name || !strcmp(symbol, "cuGetErrorString")) {
    if (first == reinterpret_cast<void *>(uintptr_t(999))) return 1; // has no text
    *second = name ? "CUDA_ERROR_FAKE" : "a fake error";
    return 0;
  }
  return numberOf(symbol);
}

} // namespace

// Arguments are in registers here, so that two of them can be looked at whatever the others are.
#define MMC_FAKE(field, symbol, ...)                                                                                   \
  extern "C" __attribute__((visibility("default"))) unsigned symbol(void *first, const char **second) {                \
    return answer(#symbol, first, second);                                                                             \
  }
MMC_CUDA_DRIVER_ENTRIES(MMC_FAKE)

/* The kernels of the tests' tiny model (TinyModel.h): plain C, compiled into a host object without libraries, once per
 * variant name. Every sum runs in one order, so that a reference in C++ gives the same bits. */
#include <stdint.h>

enum { kWidth = 8, kVocabulary = 48, kPageTokens = 4, kPagesPerSequence = 16 };

typedef struct {
  int32_t slot, firstRow, rows, position;
} WorkRecord;

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define KERNEL(name)                                                                                                   \
  __attribute__((visibility("default"))) void CONCAT(name, MMC_VARIANT)(const void *arguments, int64_t begin,          \
                                                                        int64_t end, void *scratch)

#define MMC_VARIANT _v3
#include "kernels.inc"
#undef MMC_VARIANT
#define MMC_VARIANT _v4
#include "kernels.inc"

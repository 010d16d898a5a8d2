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

/* What the loader compares with the plan (kernelRecord in runtime/src/PlanTables.h). */
#define TEXT(name, text) "kernel " #name "\nscratch " MMC_SCRATCH "\n" text
#ifdef MMC_NO_RECORDS
#define RECORD(name, text) _Static_assert(1, "")
#else
#define RECORD(name, text)                                                                                             \
  __attribute__((visibility("default"))) const char CONCAT(CONCAT(name, MMC_VARIANT),                                   \
                                                           __record)[sizeof(TEXT(name, text)) - 1] = TEXT(name, text)
#endif

#define MMC_VARIANT __x86_64_v3
#define MMC_SCRATCH "64"
#include "kernels.inc"
#undef MMC_VARIANT
#undef MMC_SCRATCH
#define MMC_VARIANT __avx512
#define MMC_SCRATCH "128"
#include "kernels.inc"

/* The version of this interface and of the plan format that the runtime reads. C11; included by every other header of
 * mmc-c.
 *
 * Compatibility: within one MMC_VERSION_MAJOR functions and struct fields are only added. Every struct that may grow
 * starts with its size, `struct_size`, which the caller sets to sizeof; a runtime reads and writes no byte beyond it.
 * All functions of this header may be called from any thread at any time. */
#ifndef MMC_C_VERSION_H
#define MMC_C_VERSION_H

#include <stddef.h>
#include <stdint.h>

#define MMC_VERSION_MAJOR 0
#define MMC_VERSION_MINOR 1
#define MMC_VERSION_PATCH 0

#if defined(__GNUC__)
#define MMC_API __attribute__((visibility("default")))
#else
#define MMC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the loaded library as "major.minor.patch"; static storage. */
MMC_API const char *mmc_version_string(void);

/* The plan format that the library reads: plans of exactly this major version, whatever their minor version, unless a
 * plan requires a feature that the library does not know. Either pointer may be NULL. */
MMC_API void mmc_plan_format_version(uint32_t *major, uint32_t *minor);

#ifdef __cplusplus
}
#endif

#endif /* MMC_C_VERSION_H */

/* How calls report failure. Every call that can fail returns an `mmc_status *`: NULL when all went well, otherwise an
 * object that says what went wrong and how to fix it. The caller owns it and frees it with mmc_status_free. C11.
 *
 * A status is immutable: its functions may be called from any thread. */
#ifndef MMC_C_STATUS_H
#define MMC_C_STATUS_H

#include "mmc-c/Version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The class of a failure; the values are the exit codes of the mmc program. */
typedef enum mmc_status_code {
  MMC_STATUS_OK = 0,
  MMC_STATUS_FAILED = 1,       /* the operating system or a caller's callback said no */
  MMC_STATUS_USAGE = 2,        /* the caller passed something that can never be right */
  MMC_STATUS_INCOMPATIBLE = 3, /* version, architecture, a checkpoint of another model */
  MMC_STATUS_INTEGRITY = 4,    /* a corrupt or truncated file, a wrong digest */
  MMC_STATUS_CAPACITY = 5,     /* does not fit: context, batch, pages, memory */
  MMC_STATUS_CANCELLED = 6     /* a progress callback or mmc_session_cancel stopped it */
} mmc_status_code;

typedef struct mmc_status mmc_status;

/* The class of the failure; MMC_STATUS_OK for NULL. */
MMC_API mmc_status_code mmc_status_get_code(const mmc_status *status);

/* Texts, owned by the status, valid until it is freed, never NULL; "" where there is none, and for a NULL status.
 *   identifier  stable, for search and scripts: "MMC-E0111"
 *   message     one line: what is wrong, found against expected
 *   hint        one line: the fix
 *   cause       what the failure rests on (an operating system's error, a nested failure) */
MMC_API const char *mmc_status_get_identifier(const mmc_status *status);
MMC_API const char *mmc_status_get_message(const mmc_status *status);
MMC_API const char *mmc_status_get_hint(const mmc_status *status);
MMC_API const char *mmc_status_get_cause(const mmc_status *status);

/* Frees a status; NULL is allowed. */
MMC_API void mmc_status_free(mmc_status *status);

#ifdef __cplusplus
}
#endif

#endif /* MMC_C_STATUS_H */

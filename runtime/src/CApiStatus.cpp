// The C ABI of versions and statuses.
#include "runtime/src/CApi.h"
#include "runtime/src/Errors.h"

using namespace mmc::runtime;

#define MMC_TEXT_OF(macro) #macro
#define MMC_VERSION_TEXT(major, minor, patch) MMC_TEXT_OF(major) "." MMC_TEXT_OF(minor) "." MMC_TEXT_OF(patch)

const char *mmc_version_string(void) {
  return MMC_VERSION_TEXT(MMC_VERSION_MAJOR, MMC_VERSION_MINOR, MMC_VERSION_PATCH);
}

void mmc_plan_format_version(uint32_t *major, uint32_t *minor) {
  if (major) *major = kPlanFormatMajor;
  if (minor) *minor = kPlanFormatMinor;
}

// Both are made before they are needed: when memory has run out it is too late.
static mmc_status *const exhausted = new mmc_status{Status(kMemoryExhausted, "memory ran out")};
static mmc_status *const unknown = new mmc_status{Status(kInternal, "an unexpected exception")};

mmc_status *mmc::runtime::outOfMemory() noexcept { return exhausted; }

mmc_status *mmc::runtime::nullArgument(const char *what) noexcept {
  if (!what) return unknown;
  return guarded([&] { return Status(kBadArgument, std::string(what)); });
}

mmc_status *mmc::runtime::toC(Status status) noexcept {
  if (status.ok()) return nullptr;
  mmc_status *result = new (std::nothrow) mmc_status{std::move(status)};
  return result ? result : exhausted;
}

mmc_status_code mmc_status_get_code(const mmc_status *status) {
  return status ? mmc_status_code(status->status.code()) : MMC_STATUS_OK;
}
const char *mmc_status_get_identifier(const mmc_status *status) {
  return status ? status->status.identifier().c_str() : "";
}
const char *mmc_status_get_message(const mmc_status *status) { return status ? status->status.message().c_str() : ""; }
const char *mmc_status_get_hint(const mmc_status *status) { return status ? status->status.hint().c_str() : ""; }
const char *mmc_status_get_cause(const mmc_status *status) { return status ? status->status.cause().c_str() : ""; }

void mmc_status_free(mmc_status *status) {
  if (status != exhausted && status != unknown) delete status;
}

// The driver behind the clock: where each entry point really is.
#pragma once

#include "runtime/cuda/driver/DriverApi.h"

#define MMC_PROFILED(field, symbol, ...) extern "C" __attribute__((visibility("hidden"))) void *mmcProfiled_##symbol;
MMC_CUDA_DRIVER_ENTRIES(MMC_PROFILED)
#undef MMC_PROFILED

namespace mmc::cuda {

/// The real entry point of a field of DriverApi: real(&DriverApi::eventRecord, mmcProfiled_cuEventRecord).
template <class Field> Field real(Field DriverApi::*, void *entry) { return reinterpret_cast<Field>(entry); }

} // namespace mmc::cuda

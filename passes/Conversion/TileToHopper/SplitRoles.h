// Roles of a kernel's warps, once its body is emitted.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

namespace mmc::cuda {

/// Puts the body into a hopper.roles: warps that fill rings, and warps that do everything else. Fails, without a
/// diagnostic, where there is nothing to fill or where copies depend on what only those who compute know; the kernel is
/// in no state to be used then.
mlir::LogicalResult splitRoles(hopper::KernelOp kernel);

} // namespace mmc::cuda

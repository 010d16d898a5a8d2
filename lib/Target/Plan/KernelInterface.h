// What each kernel of a plan was compiled for, as the runtime's tables say it: read off the kernel's arguments, and off
// the launches that bind them.
//
// The plan file and the host object's records are both written from this, so the loader can compare the two.
#pragma once

#include "runtime/src/PlanTables.h"

#include <map>
#include <string>

namespace mmc {

namespace planir {
class ModuleOp;
} // namespace planir

/// By the kernel's name; symbols and scratch are not filled.
using KernelInterfaces = std::map<std::string, runtime::Kernel>;
KernelInterfaces describeKernels(planir::ModuleOp plan);

} // namespace mmc

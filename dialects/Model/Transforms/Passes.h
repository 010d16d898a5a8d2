// Passes that touch only the model dialect.
#pragma once

#include "dialects/Model/IR/Model.h"

#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace mmc::model {

#define GEN_PASS_DECL
#include "dialects/Model/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Model/Transforms/Passes.h.inc"

} // namespace mmc::model

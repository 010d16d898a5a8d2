// Tile kernels to CUDA C++: the passes below the tile dialect, and the printer, for every kernel of a module.
#pragma once

#include "runtime/src/PlanTables.h"

#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace mmc::cuda {

/// A kernel as CUDA C++, the symbol that it has there, and how it is launched. `function.image` is for whoever compiles
/// the source to say.
struct CudaKernel {
  std::string name, symbol, source;
  runtime::DeviceFunction function;
};

/// Every tile.kernel of `module`, which stays as it is, in its order, by the variant's families of instructions; by the
/// portable one where the name matches one of `portable` (`*` for any characters). Symbols are NAME__VARIANT. On
/// failure a diagnostic was emitted.
mlir::FailureOr<std::vector<CudaKernel>> emitCuda(mlir::ModuleOp module, const std::string &variant,
                                                  const std::vector<std::string> &portable = {});

} // namespace mmc::cuda

#include "lib/Target/CUDA/PrintCuda.h"
#include "lib/Target/CUDA/KernelPrinter.h"

namespace mmc::cuda {

std::optional<PrintedKernel> printCuda(hopper::KernelOp kernel) { return KernelPrinter(kernel).run(); }

} // namespace mmc::cuda

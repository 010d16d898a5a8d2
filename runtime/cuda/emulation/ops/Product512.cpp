// The product's loops for processors with AVX-512: compiled for them, and called only where the processor has it.
#include "runtime/cuda/emulation/ops/ProductLoops.h"

namespace mmc::emu::product {

void multiplyAvx512(const Loop &loop) { multiplyAll<Vector16, 2, 4>(loop); }

} // namespace mmc::emu::product

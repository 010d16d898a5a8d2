// The encoder of tensor maps. A refusal is one number to the caller, so the sentence goes to stderr.
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include <cstdio>

using namespace mmc::emu::driver;

namespace mmc::cuda {

extern "C" Result cuTensorMapEncodeTiled(TensorMap *map, TensorElement element, uint32_t rank, void *base,
                                         const uint64_t *sizes, const uint64_t *strides, const uint32_t *box,
                                         const uint32_t *traversalStrides, TensorInterleave interleave,
                                         TensorSwizzle swizzle, TensorL2Promotion promotion, TensorFill fill) {
  return call(CallKind::asks, [&] {
    emu::TensorMapRequest request;
    request.element = unsigned(element);
    request.rank = rank;
    request.base = base;
    request.sizes = sizes;
    request.strides = strides;
    request.box = box;
    request.traversalStrides = traversalStrides;
    request.interleave = unsigned(interleave);
    request.swizzle = unsigned(swizzle);
    request.l2Promotion = unsigned(promotion);
    request.fill = unsigned(fill);
    const emu::TensorMapResult result = emu::encodeTensorMap(map, request);
    if (result.ok()) return Result::success;
    std::fprintf(stderr, "mmc emulation: cuTensorMapEncodeTiled: %s\n", result.message.c_str());
    return Result::invalidValue;
  });
}

} // namespace mmc::cuda

// Encodes tensor maps. The plan's records were checked when it was loaded; what is left for the driver to refuse is
// where the memory lies.
#include "runtime/cuda/session/LaunchMaps.h"

#include "runtime/src/Errors.h"

namespace mmc::cuda {

using runtime::DType;
using runtime::TensorMapRecord;

/// The type by which copies count elements, and fill beyond the edges: with zeros, whatever the type.
static TensorElement elementOf(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return TensorElement::f32;
  case DType::bf16:
    return TensorElement::bf16;
  case DType::f16:
    return TensorElement::f16;
  case DType::f64:
    return TensorElement::f64;
  case DType::i64:
    return TensorElement::s64;
  case DType::i32:
    return TensorElement::s32;
  default:
    return TensorElement::u8;
  }
}

static TensorSwizzle swizzleOf(uint32_t bytes) {
  return bytes == 128  ? TensorSwizzle::bytes128
         : bytes == 64 ? TensorSwizzle::bytes64
         : bytes == 32 ? TensorSwizzle::bytes32
                       : TensorSwizzle::none;
}

/// Rows that lie in so many bytes.
static uint64_t rowsWithin(const TensorMapRecord &map, uint64_t bytes) {
  const uint64_t first = map.offset + map.rowBytes();
  return bytes < first ? 0 : (bytes - first) / map.strides.front() + 1;
}

Expected<std::vector<TensorMap>> LaunchMaps::encode(const DeviceContext &device, const runtime::Kernel &kernel,
                                                    const runtime::DeviceFunction &function,
                                                    const std::function<ArgumentMemory(uint32_t)> &memory,
                                                    const std::string &who) {
  std::vector<TensorMap> maps(function.maps.size());
  for (size_t i = 0; i < maps.size(); ++i) {
    const TensorMapRecord &record = function.maps[i];
    const ArgumentMemory place = memory(record.argument);
    const size_t rank = record.sizes.size();
    // The driver takes the fastest axis first.
    const std::vector<uint64_t> strides(record.strides.rbegin(), record.strides.rend());
    const std::vector<uint32_t> box(record.box.rbegin(), record.box.rend()), steps(rank, 1);
    std::vector<uint64_t> sizes(record.sizes.rbegin(), record.sizes.rend());
    if (sizes.back() == 0) sizes.back() = rowsWithin(record, place.bytes);
    const std::string what = "encoding the tensor map of '" + kernel.parameters[record.argument] + "' for the " + who;
    if (sizes.back() == 0)
      return Status(runtime::kDeviceImageLaunch, what + ": its memory of " + std::to_string(place.bytes) +
                                                     " bytes holds no row, expected at least " +
                                                     std::to_string(record.offset + record.rowBytes()));
    MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(device, tensorMapEncodeTiled,
                                      (&maps[i], elementOf(record.dtype), uint32_t(rank),
                                       reinterpret_cast<void *>(place.address + record.offset), sizes.data(),
                                       strides.data(), box.data(), steps.data(), TensorInterleave::none,
                                       swizzleOf(record.swizzle), TensorL2Promotion::bytes256, TensorFill::zeros),
                                      what));
  }
  return maps;
}

} // namespace mmc::cuda

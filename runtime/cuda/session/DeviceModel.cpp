// Puts a model on a device.
#include "runtime/cuda/session/DeviceModel.h"

#include <algorithm>

namespace mmc::cuda {

Expected<std::shared_ptr<DeviceModel>> DeviceModel::create(std::shared_ptr<const LoadedKernels> kernels,
                                                           uint64_t weightsBytes, std::span<const uint8_t> constants) {
  std::shared_ptr<DeviceModel> model(new DeviceModel);
  model->code = std::move(kernels);
  const std::shared_ptr<DeviceContext> &device = model->device();
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  auto take = [](auto &to, auto made) {
    if (made.ok()) to = std::move(*made);
    return made.status();
  };
  MMC_RETURN_IF_ERROR(take(model->stream, OwnedStream::create(device)));
  MMC_RETURN_IF_ERROR(take(model->weightMemory, DeviceMemory::allocate(device, weightsBytes, "weights")));
  MMC_RETURN_IF_ERROR(take(model->constantMemory, DeviceMemory::allocate(device, constants.size(), "constants")));
  MMC_RETURN_IF_ERROR(model->copy(model->constants(), constants, "constants"));
  return model;
}

Status DeviceModel::copyWeights(uint64_t offset, std::span<const uint8_t> bytes) {
  DeviceContext::Scope scope(*device());
  MMC_RETURN_IF_ERROR(scope.status());
  return copy(weights() + offset, bytes, "weights");
}

/// Piece by piece: a driver stages what is not page-locked, and what it stages at a time is bounded so.
Status DeviceModel::copy(DevicePointer to, std::span<const uint8_t> bytes, const std::string &what) {
  constexpr uint64_t kPiece = uint64_t(16) << 20;
  auto doing = [&] { return "copying " + what + " to " + device()->name(); };
  for (uint64_t at = 0; at < bytes.size(); at += kPiece) {
    const uint64_t count = std::min<uint64_t>(kPiece, bytes.size() - at);
    MMC_RETURN_IF_ERROR(
        MMC_CUDA_CALL(*device(), memcpyHtoDAsync, (to + at, bytes.data() + at, count, stream.get()), doing()));
    MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device(), streamSynchronize, (stream.get()), doing()));
  }
  return {};
}

} // namespace mmc::cuda

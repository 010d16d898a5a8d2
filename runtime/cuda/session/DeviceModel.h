// What the sessions of a model share on a device: its kernels, its weights and its constants.
#pragma once

#include "runtime/cuda/session/LoadedKernels.h"

namespace mmc::cuda {

class DeviceModel {
public:
  /// Room for all weights, one after the other as in WeightStore, and a copy of the constants.
  static Expected<std::shared_ptr<DeviceModel>> create(std::shared_ptr<const LoadedKernels> kernels,
                                                       uint64_t weightsBytes, std::span<const uint8_t> constants);
  /// Copies a part of the weights to its place. Returns when it is there.
  Status copyWeights(uint64_t offset, std::span<const uint8_t> bytes);

  const LoadedKernels &kernels() const { return *code; }
  const std::shared_ptr<DeviceContext> &device() const { return code->device(); }
  DevicePointer weights() const { return weightMemory.address(); }
  DevicePointer constants() const { return constantMemory.address(); }

private:
  DeviceModel() = default;
  Status copy(DevicePointer to, std::span<const uint8_t> bytes, const std::string &what);

  std::shared_ptr<const LoadedKernels> code;
  DeviceMemory weightMemory, constantMemory;
  OwnedStream stream;
};

} // namespace mmc::cuda

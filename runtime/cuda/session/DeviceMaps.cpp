// Encodes the tensor maps of a session's launches, for every shape class and layer, before the first step.
#include "runtime/cuda/session/DeviceBackend.h"

namespace mmc::cuda {

using runtime::Argument;
using runtime::ArgumentKind;
using runtime::EntryPoint;
using runtime::Launch;

Status DeviceBackend::encodeMaps() {
  for (const EntryPoint &entry : plan().entryPoints) {
    MMC_RETURN_IF_ERROR(encodeMaps({plan().body, -1, false}, entry));
    MMC_RETURN_IF_ERROR(encodeMaps({plan().head, -1, true}, entry));
  }
  return {};
}

Status DeviceBackend::encodeMaps(const Place &place, const EntryPoint &entry) {
  for (const runtime::Command &command : place.program.commands) {
    if (!command.isStack) {
      MMC_RETURN_IF_ERROR(encodeMaps(command.launch, place, entry));
      continue;
    }
    for (uint32_t i = 0; i < plan().stack.size(); ++i)
      MMC_RETURN_IF_ERROR(encodeMaps({plan().layerKinds[plan().stack[i]], int32_t(i), place.inHead}, entry));
  }
  return {};
}

Status DeviceBackend::encodeMaps(const Launch &launch, const Place &place, const EntryPoint &entry) {
  const LoadedFunction &loaded = model->device->kernels()[launch.kernel];
  if (loaded.launch.maps.empty()) return {};
  const auto memory = [&](uint32_t word) -> ArgumentMemory {
    const Argument &argument = launch.arguments[word];
    const uint64_t bytes =
        argument.kind == ArgumentKind::buffer ? bufferBytes(plan().buffers[argument.index], entry) : argument.offset;
    return {pointer(argument, entry, place.layer), bytes - argument.offset};
  };
  Expected<std::vector<TensorMap>> made =
      LaunchMaps::encode(*device, plan().kernels[launch.kernel], loaded.launch, memory, describe(launch, place));
  if (!made.ok()) return made.status();
  maps.add(entry, launch, place.layer, std::move(*made));
  return {};
}

} // namespace mmc::cuda

// The headers that kernels include, inside this library: no source tree is needed to compile a kernel.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mmc::cuda {

struct Header {
  std::string_view name, text; // as includes spell it: block/kernel.cuh
};

/// runtime/cuda/device: what NVRTC reads.
std::span<const Header> deviceHeaders();
/// runtime/cuda/emulation/ptx alone.
std::span<const Header> emulationTwins();
/// What clang reads: the device's headers with those of ptx/ replaced by their twins.
std::vector<Header> emulationHeaders();
/// 64 hexadecimal digits of names and texts.
std::string digestOfHeaders(std::span<const Header> headers);

} // namespace mmc::cuda

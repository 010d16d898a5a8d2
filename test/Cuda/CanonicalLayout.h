// Where the elements of a wgmma operand lie in shared memory, from PTX's canonical layouts as shapes and strides (PTX
// ISA 9.7.15.5.1.2): what tests compare the emulation's own arithmetic with.
#pragma once

#include "runtime/cuda/emulation/ops/Descriptor.h"

#include <cstdint>
#include <initializer_list>

namespace mmc::emu::test {

constexpr Swizzle kSwizzles[] = {Swizzle::none, Swizzle::bytes128, Swizzle::bytes64, Swizzle::bytes32};

/// A coordinate cut into digits (fastest first), each with its stride: the notation of the canonical layouts. The last
/// digit takes what is left.
struct Mode {
  uint32_t size, stride;
};
inline uint32_t offsetIn(std::initializer_list<Mode> modes, uint32_t coordinate) {
  uint32_t offset = 0;
  for (const Mode *mode = modes.begin(); mode != modes.end(); ++mode) {
    const bool last = mode + 1 == modes.end();
    offset += (last ? coordinate : coordinate % mode->size) * mode->stride;
    coordinate /= mode->size;
  }
  return offset;
}

/// Byte offset of element (row, k), before the swizzle; T elements are 16 bytes.
inline uint32_t canonical(Swizzle swizzle, Major major, uint32_t bytes, uint32_t leading, uint32_t stride, uint32_t row,
                          uint32_t k) {
  const uint32_t T = 16 / bytes;
  if (major == Major::k) {
    switch (swizzle) {
    case Swizzle::none: // ((8,m),(T,2)) : ((1T,SBO),(1,LBO))
      return offsetIn({{8, 16}, {0, stride}}, row) + offsetIn({{T, bytes}, {0, leading}}, k);
    case Swizzle::bytes32: // ((8,m),(T,2)) : ((2T,SBO),(1,T))
      return offsetIn({{8, 32}, {0, stride}}, row) + offsetIn({{T, bytes}, {0, 16}}, k);
    case Swizzle::bytes64: // ((8,m),(T,2)) : ((4T,SBO),(1,T))
      return offsetIn({{8, 64}, {0, stride}}, row) + offsetIn({{T, bytes}, {0, 16}}, k);
    case Swizzle::bytes128: // ((8,m),(T,2)) : ((8T,SBO),(1,T))
      return offsetIn({{8, 128}, {0, stride}}, row) + offsetIn({{T, bytes}, {0, 16}}, k);
    }
  }
  switch (swizzle) {
  case Swizzle::none: // ((T,1,m),(8,k)) : ((1,T,SBO),(1T,LBO))
    return offsetIn({{T, bytes}, {0, stride}}, row) + offsetIn({{8, 16}, {0, leading}}, k);
  case Swizzle::bytes32: // ((T,2,m),(8,k)) : ((1,T,LBO),(2T,SBO))
    return offsetIn({{T, bytes}, {2, 16}, {0, leading}}, row) + offsetIn({{8, 32}, {0, stride}}, k);
  case Swizzle::bytes64: // ((T,4,m),(8,k)) : ((1,T,LBO),(4T,SBO))
    return offsetIn({{T, bytes}, {4, 16}, {0, leading}}, row) + offsetIn({{8, 64}, {0, stride}}, k);
  case Swizzle::bytes128: // ((T,8,m),(8,k)) : ((1,T,LBO),(8T,SBO))
    return offsetIn({{T, bytes}, {8, 16}, {0, leading}}, row) + offsetIn({{8, 128}, {0, stride}}, k);
  }
  return 0;
}

/// The swizzle as bits: each of bits 4, 5, 6 is flipped by bit 7, 8, 9.
inline uint32_t swizzled(Swizzle swizzle, uint32_t address) {
  const bool bit7 = address & 128, bit8 = address & 256, bit9 = address & 512;
  if (swizzle == Swizzle::bytes32 || swizzle == Swizzle::bytes64 || swizzle == Swizzle::bytes128)
    if (bit7) address ^= 16;
  if (swizzle == Swizzle::bytes64 || swizzle == Swizzle::bytes128)
    if (bit8) address ^= 32;
  if (swizzle == Swizzle::bytes128)
    if (bit9) address ^= 64;
  return address;
}

} // namespace mmc::emu::test

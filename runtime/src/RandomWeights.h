// Reproducible weights for models without a checkpoint: --weights random[:SEED].
//
// A value depends on the seed, the checkpoint tensor's full name and the element's row-major index in that tensor
// before slicing, and on nothing else: not on layout, slices, threads or order. The loader and the interpreters share
// this definition.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace mmc::runtime {

/// A well-mixed permutation of 64-bit words (the finaliser of splitmix64).
inline constexpr uint64_t mixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// The stream of a tensor: `name` is its name in the checkpoint, layer and expert numbers filled in.
inline constexpr uint64_t randomWeightKey(uint64_t seed, std::string_view name) {
  uint64_t key = mixBits(seed + 0x9e3779b97f4a7c15u);
  for (char c : name) key = mixBits(key ^ uint8_t(c)) + 0x9e3779b97f4a7c15u;
  return key;
}

/// mean + scale * u, with u uniform over the multiples of 2^-23 in [-1, 1); formed in float64, rounded to float32 and then
/// to bfloat16, to nearest even. So a model has the same weights whether it declares, stores or computes in bfloat16 or
/// in float32.
inline constexpr float randomWeight(uint64_t key, uint64_t index, float mean, float scale) {
  const uint64_t bits = mixBits(key + index * 0x9e3779b97f4a7c15u) >> 40;
  const double uniform = double(bits) * 0x1p-23 - 1.0;
  const uint32_t word = std::bit_cast<uint32_t>(float(double(mean) + double(scale) * uniform));
  return std::bit_cast<float>((word + 0x7fffu + (word >> 16 & 1)) & 0xffff0000u);
}

} // namespace mmc::runtime

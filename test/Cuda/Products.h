// What tests of products share: bf16 inputs, tensor maps over them, shapes of launches.
#pragma once

#include "runtime/cuda/emulation/ops/TensorMap.h"
#include "test/Cuda/KernelRun.h"

#include <random>

namespace mmc::emu::test {

/// A bf16 number by its bits.
inline double valueOf(uint16_t bits) {
  const uint32_t word = uint32_t(bits) << 16;
  float value;
  memcpy(&value, &word, 4);
  return value;
}

/// Random bf16 numbers of magnitude 1/8 to 2.
inline std::vector<uint16_t> random(uint32_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint16_t> values(count);
  for (uint16_t &value : values) {
    const uint32_t bits = uint32_t(generator());
    value = uint16_t((bits & 1) << 15 | (124 + (bits >> 1 & 3)) << 7 | (bits >> 3 & 0x7f));
  }
  return values;
}

struct alignas(128) Map {
  uint64_t words[16];
};

/// A map over rows of `columns` bf16 whose box is `boxRows` rows of 128 bytes, swizzled by 128.
inline Map mapOf(void *base, uint64_t rows, uint64_t columns, uint32_t boxRows) {
  Map map;
  const uint64_t sizes[2] = {columns, rows}, strides[1] = {columns * 2};
  const uint32_t box[2] = {64, boxRows}, ones[2] = {1, 1};
  TensorMapRequest request;
  request.element = uint32_t(TensorElement::bf16);
  request.rank = 2;
  request.base = base;
  request.sizes = sizes;
  request.strides = strides;
  request.box = box;
  request.traversalStrides = ones;
  request.swizzle = uint32_t(TensorSwizzle::bytes128);
  const TensorMapResult result = encodeTensorMap(&map, request);
  EXPECT_TRUE(result.ok()) << result.message;
  return map;
}

template <class T> std::vector<T> contents(const Device<T> &device) {
  return {device.data, device.data + device.count};
}

inline LaunchOptions shapeOf(uint32_t blocks, uint32_t blocksY, uint32_t threads) {
  LaunchOptions options;
  options.grid[0] = blocks;
  options.grid[1] = blocksY;
  options.block[0] = threads;
  return options;
}

} // namespace mmc::emu::test

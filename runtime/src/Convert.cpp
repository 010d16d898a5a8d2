// Implements conversion of arrays. Loads and stores go through memcpy: tensors in checkpoints lie at any address.
#include "runtime/src/Convert.h"

namespace mmc::runtime {

namespace {

template <typename T> T loadAt(const uint8_t *from, uint64_t i) {
  T value;
  std::memcpy(&value, from + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T> void storeAt(uint8_t *to, uint64_t i, T value) {
  std::memcpy(to + i * sizeof(T), &value, sizeof(T));
}

template <typename Read> void convertFrom(Read read, DType toType, uint8_t *to, uint64_t count) {
  if (toType == DType::f32)
    for (uint64_t i = 0; i < count; ++i) storeAt<float>(to, i, read(i));
  else if (toType == DType::bf16)
    for (uint64_t i = 0; i < count; ++i) storeAt<uint16_t>(to, i, floatToBf16(read(i)));
  else
    for (uint64_t i = 0; i < count; ++i) storeAt<uint16_t>(to, i, floatToHalf(read(i)));
}

} // namespace

void convertElements(DType fromType, const uint8_t *from, DType toType, uint8_t *to, uint64_t count) {
  if (fromType == toType) {
    std::memcpy(to, from, count * dtypeBytes(toType));
    return;
  }
  switch (fromType) {
  case DType::f32:
    return convertFrom([=](uint64_t i) { return loadAt<float>(from, i); }, toType, to, count);
  case DType::bf16:
    return convertFrom([=](uint64_t i) { return bf16ToFloat(loadAt<uint16_t>(from, i)); }, toType, to, count);
  default:
    return convertFrom([=](uint64_t i) { return halfToFloat(loadAt<uint16_t>(from, i)); }, toType, to, count);
  }
}

} // namespace mmc::runtime

// Implements the encoding of tensor maps. Invariant: Encoded fits into the 128 bytes, its checksum covers everything
// behind it, and bytes that are not part of it are zero.
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include <cstring>

namespace mmc::emu {

namespace {

constexpr uint64_t kMagic = 0x50414d'4d45'434d4dull; // "MMCEMMAP"
constexpr uint32_t kMaxRank = 5, kMaxBox = 256, kMaxTraversalStride = 8;
constexpr uint64_t kMaxSize = uint64_t(1) << 32, kStrideLimit = uint64_t(1) << 40;

struct Encoded {
  uint64_t magic, checksum;
  uint64_t base;
  uint64_t strides[4];
  uint32_t lastIndex[5]; // size - 1
  uint8_t lastOfBox[5];  // box - 1
  uint8_t traversalStrides[5];
  uint8_t element, rank, interleave, swizzle, l2Promotion, fill;
};
static_assert(sizeof(Encoded) <= kTensorMapBytes);

struct ElementForm {
  const char *name;
  uint32_t bytes;
  bool isFloat;
};
constexpr ElementForm kElements[] = {
    {"u8", 1, false},     {"u16", 2, false}, {"u32", 4, false},     {"s32", 4, false}, {"u64", 8, false},
    {"s64", 8, false},    {"f16", 2, true},  {"f32", 4, true},      {"f64", 8, true},  {"bf16", 2, true},
    {"f32 ftz", 4, true}, {"tf32", 4, true}, {"tf32 ftz", 4, true},
};
constexpr uint32_t kElementCount = sizeof kElements / sizeof kElements[0], kPackedElements = 3;

/// FNV-1a over the bytes behind the checksum.
uint64_t checksumOf(const uint8_t *map) {
  uint64_t sum = 0xcbf29ce484222325;
  for (uint32_t i = 16; i < kTensorMapBytes; ++i) sum = (sum ^ map[i]) * 0x100000001b3;
  return sum;
}

TensorMapResult refuse(TensorMapRefusal refusal, std::string message) { return {refusal, std::move(message)}; }

std::string onAxis(const char *what, uint32_t axis, uint64_t found) {
  return std::string(what) + " of axis " + std::to_string(axis) + " is " + std::to_string(found) + ", expected ";
}

TensorMapResult checkEnumerations(const TensorMapRequest &r) {
  using Refusal = TensorMapRefusal;
  if (r.element >= kElementCount + kPackedElements)
    return refuse(Refusal::element, "no data type has the number " + std::to_string(r.element));
  if (r.element >= kElementCount)
    return refuse(Refusal::newerDevice,
                  "data type " + std::to_string(r.element) + " (packed elements) needs a later device than sm_90");
  if (r.interleave > uint32_t(TensorInterleave::bytes32))
    return refuse(Refusal::interleave, "no interleave has the number " + std::to_string(r.interleave));
  if (r.swizzle > uint32_t(TensorSwizzle::bytes128Atom64))
    return refuse(Refusal::swizzle, "no swizzle has the number " + std::to_string(r.swizzle));
  if (r.swizzle > uint32_t(TensorSwizzle::bytes128))
    return refuse(Refusal::newerDevice,
                  "swizzle " + std::to_string(r.swizzle) + " (larger atoms) needs a later device than sm_90");
  if (r.l2Promotion > 3)
    return refuse(Refusal::l2Promotion, "no L2 promotion has the number " + std::to_string(r.l2Promotion));
  if (r.fill > uint32_t(TensorFill::nan))
    return refuse(Refusal::fill, "no fill has the number " + std::to_string(r.fill));
  if (r.fill == uint32_t(TensorFill::nan) && !kElements[r.element].isFloat)
    return refuse(Refusal::fillElement,
                  std::string("fills with NaN, but elements are ") + kElements[r.element].name + ", expected floats");
  return {};
}

TensorMapResult checkTensor(const TensorMapRequest &r) {
  using Refusal = TensorMapRefusal;
  if (r.rank < 1 || r.rank > kMaxRank)
    return refuse(Refusal::rank, "rank is " + std::to_string(r.rank) + ", expected 1 to 5");
  if (r.interleave && r.rank < 3)
    return refuse(Refusal::interleaveRank,
                  "rank is " + std::to_string(r.rank) + ", expected at least 3 for an interleaved map");
  if (!r.sizes || !r.box || !r.traversalStrides || (r.rank > 1 && !r.strides))
    return refuse(Refusal::nullArgument, std::string(!r.sizes                   ? "sizes"
                                                     : !r.box                   ? "box"
                                                     : !r.strides && r.rank > 1 ? "strides"
                                                                                : "traversal strides") +
                                             " is null");
  const uint64_t alignment = r.interleave == uint32_t(TensorInterleave::bytes32) ? 32 : 16;
  const uint64_t base = reinterpret_cast<uint64_t>(r.base);
  if (base % alignment)
    return refuse(Refusal::baseAlignment, "base address is " + std::to_string(base % alignment) +
                                              " past a multiple of " + std::to_string(alignment) +
                                              ", expected such a multiple");
  for (uint32_t axis = 0; axis < r.rank; ++axis)
    if (r.sizes[axis] < 1 || r.sizes[axis] > kMaxSize)
      return refuse(Refusal::size, onAxis("size", axis, r.sizes[axis]) + "1 to 2^32");
  for (uint32_t axis = 1; axis < r.rank; ++axis) {
    if (r.strides[axis - 1] % alignment)
      return refuse(Refusal::strideAlignment, onAxis("stride", axis, r.strides[axis - 1]) + "a multiple of " +
                                                  std::to_string(alignment) + " bytes");
    if (r.strides[axis - 1] >= kStrideLimit)
      return refuse(Refusal::strideRange, onAxis("stride", axis, r.strides[axis - 1]) + "less than 2^40 bytes");
  }
  return {};
}

TensorMapResult checkBox(const TensorMapRequest &r) {
  using Refusal = TensorMapRefusal;
  for (uint32_t axis = 0; axis < r.rank; ++axis) {
    if (r.box[axis] < 1 || r.box[axis] > kMaxBox)
      return refuse(Refusal::box, onAxis("box", axis, r.box[axis]) + "1 to 256");
    if (r.traversalStrides[axis] < 1 || r.traversalStrides[axis] > kMaxTraversalStride)
      return refuse(Refusal::traversalStride, onAxis("traversal stride", axis, r.traversalStrides[axis]) + "1 to 8");
  }
  const uint32_t inner = r.box[0] * kElements[r.element].bytes;
  const uint32_t span = swizzleSpan(TensorSwizzle(r.swizzle));
  if (r.interleave == uint32_t(TensorInterleave::none)) {
    if (inner % 16)
      return refuse(Refusal::boxBytes,
                    "a row of the box has " + std::to_string(inner) + " bytes, expected a multiple of 16");
    if (span && inner > span)
      return refuse(Refusal::swizzleSpan, "a row of the box has " + std::to_string(inner) +
                                              " bytes, expected at most " + std::to_string(span) +
                                              ", which the swizzle spans");
  }
  if (r.interleave == uint32_t(TensorInterleave::bytes32) && r.swizzle != uint32_t(TensorSwizzle::bytes32))
    return refuse(Refusal::interleaveSwizzle,
                  "swizzle is " + std::to_string(span) + " bytes, expected 32 for an interleave of 32");
  return {};
}

} // namespace

const char *tensorElementName(TensorElement element) {
  return uint32_t(element) < kElementCount ? kElements[uint32_t(element)].name : "packed";
}

uint32_t tensorElementBytes(TensorElement element) {
  return uint32_t(element) < kElementCount ? kElements[uint32_t(element)].bytes : 0;
}

uint32_t swizzleSpan(TensorSwizzle swizzle) {
  switch (swizzle) {
  case TensorSwizzle::none:
    return 0;
  case TensorSwizzle::bytes32:
    return 32;
  case TensorSwizzle::bytes64:
    return 64;
  default:
    return 128;
  }
}

TensorMapResult encodeTensorMap(void *map, const TensorMapRequest &request) {
  using Refusal = TensorMapRefusal;
  if (!map) return refuse(Refusal::nullArgument, "the map is null");
  if (reinterpret_cast<uint64_t>(map) % kTensorMapAlignment)
    return refuse(Refusal::mapAlignment, "the map's address is no multiple of 64");
  if (TensorMapResult result = checkEnumerations(request); !result.ok()) return result;
  if (TensorMapResult result = checkTensor(request); !result.ok()) return result;
  if (TensorMapResult result = checkBox(request); !result.ok()) return result;

  Encoded encoded = {};
  encoded.base = reinterpret_cast<uint64_t>(request.base);
  for (uint32_t axis = 0; axis < request.rank; ++axis) {
    encoded.lastIndex[axis] = uint32_t(request.sizes[axis] - 1);
    encoded.lastOfBox[axis] = uint8_t(request.box[axis] - 1);
    encoded.traversalStrides[axis] = uint8_t(request.traversalStrides[axis]);
    if (axis) encoded.strides[axis - 1] = request.strides[axis - 1];
  }
  encoded.element = uint8_t(request.element);
  encoded.rank = uint8_t(request.rank);
  encoded.interleave = uint8_t(request.interleave);
  encoded.swizzle = uint8_t(request.swizzle);
  encoded.l2Promotion = uint8_t(request.l2Promotion);
  encoded.fill = uint8_t(request.fill);
  uint8_t bytes[kTensorMapBytes] = {};
  memcpy(bytes, &encoded, sizeof encoded);
  encoded.magic = kMagic;
  encoded.checksum = checksumOf(bytes);
  memcpy(bytes, &encoded, sizeof encoded);
  memcpy(map, bytes, sizeof bytes);
  return {};
}

bool decodeTensorMap(const void *bytes, TensorMap &map, std::string &why) {
  uint8_t copy[kTensorMapBytes];
  memcpy(copy, bytes, sizeof copy);
  Encoded encoded;
  memcpy(&encoded, copy, sizeof encoded);
  if (encoded.magic != kMagic) {
    why = "the 128 bytes are no tensor map that the emulation has encoded";
    return false;
  }
  if (encoded.checksum != checksumOf(copy)) {
    why = "the tensor map has been changed since it was encoded";
    return false;
  }
  map = TensorMap();
  map.element = TensorElement(encoded.element);
  map.interleave = TensorInterleave(encoded.interleave);
  map.swizzle = TensorSwizzle(encoded.swizzle);
  map.fill = TensorFill(encoded.fill);
  map.rank = encoded.rank;
  map.elementBytes = tensorElementBytes(map.element);
  map.base = reinterpret_cast<uint8_t *>(encoded.base);
  for (uint32_t axis = 0; axis < map.rank; ++axis) {
    map.sizes[axis] = uint64_t(encoded.lastIndex[axis]) + 1;
    map.strides[axis] = axis ? encoded.strides[axis - 1] : map.elementBytes;
    // Without an interleave the copy engine knows no traversal stride along the first axis and ignores it.
    const bool strided = axis || map.interleave != TensorInterleave::none;
    map.steps[axis] = strided ? encoded.traversalStrides[axis] : 1;
    map.counts[axis] = (encoded.lastOfBox[axis] + map.steps[axis]) / map.steps[axis];
  }
  return true;
}

} // namespace mmc::emu

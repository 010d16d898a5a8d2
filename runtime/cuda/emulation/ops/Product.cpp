// Implements the product of tiles. Invariants: the A panel holds, for each pair of rows and each k, the four floats
// {a[r], a[r], a[r + 8], a[r + 8]}; the B panel holds, cut into pieces of columns, for each lane and each k the floats
// {b[c], b[c + 1], b[c], b[c + 1]} of each eight columns. A fused multiply-add of the two, the first one repeated to
// the vector's width, is one k of a piece of a thread's fragment.
#include "runtime/cuda/emulation/ops/Product.h"

#include "runtime/cuda/emulation/ops/ProductLoops.h"

#include <algorithm>
#include <cstring>
#include <immintrin.h>
#include <limits>
#include <type_traits>

namespace mmc::emu {

using product::kPairs;
using product::panelOffset;
using product::Piece;
using product::pieceAt;

namespace {

constexpr uint32_t kMaxDepth = 32, kMaxColumns = 256;

//===--- Decoding ------------------------------------------------------------------------------------------------===//

/// Eight elements as floats; exact for every type.
template <Element type> MMC_INLINE __m256 decode8(const uint8_t *from) {
  if constexpr (type == Element::bf16) {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(raw), 16));
  } else if constexpr (type == Element::f16) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
  } else {
    const __m128i raw = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(from));
    if constexpr (type == Element::s8) return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(raw));
    if constexpr (type == Element::u8) return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(raw));
    const __m128i wide = _mm_cvtepu8_epi16(raw);
    if constexpr (type == Element::e5m2) return _mm256_cvtph_ps(_mm_slli_epi16(wide, 8));
    // e4m3: its exponent and fraction, put into a half's place, are too small by 2^8; all ones are NaN.
    const __m128i magnitude = _mm_and_si128(wide, _mm_set1_epi16(0x7f));
    const __m128i sign = _mm_slli_epi16(_mm_and_si128(wide, _mm_set1_epi16(0x80)), 8);
    const __m128i nan = _mm_cmpeq_epi16(magnitude, _mm_set1_epi16(0x7f));
    const __m256 value =
        _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(sign, _mm_slli_epi16(magnitude, 7))), _mm256_set1_ps(256.0f));
    const __m256 quiet = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    return _mm256_blendv_ps(value, quiet, _mm256_castsi256_ps(_mm256_cvtepi16_epi32(nan)));
  }
}

/// Calls function(std::integral_constant) with the type as a constant.
template <class Function> void forType(Element type, Function function) {
  switch (type) {
  case Element::bf16:
    return function(std::integral_constant<Element, Element::bf16>());
  case Element::f16:
    return function(std::integral_constant<Element, Element::f16>());
  case Element::e4m3:
    return function(std::integral_constant<Element, Element::e4m3>());
  case Element::e5m2:
    return function(std::integral_constant<Element, Element::e5m2>());
  case Element::s8:
    return function(std::integral_constant<Element, Element::s8>());
  case Element::u8:
    return function(std::integral_constant<Element, Element::u8>());
  }
}

MMC_INLINE void transpose8(__m256 (&v)[8]) {
  __m256 t[8], u[8];
  for (int i = 0; i < 4; ++i) {
    t[i * 2] = _mm256_unpacklo_ps(v[i * 2], v[i * 2 + 1]);
    t[i * 2 + 1] = _mm256_unpackhi_ps(v[i * 2], v[i * 2 + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    u[i * 4] = _mm256_shuffle_ps(t[i * 4], t[i * 4 + 2], 0x44);
    u[i * 4 + 1] = _mm256_shuffle_ps(t[i * 4], t[i * 4 + 2], 0xee);
    u[i * 4 + 2] = _mm256_shuffle_ps(t[i * 4 + 1], t[i * 4 + 3], 0x44);
    u[i * 4 + 3] = _mm256_shuffle_ps(t[i * 4 + 1], t[i * 4 + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

//===--- Panels --------------------------------------------------------------------------------------------------===//

/// Two rows, eight k: pairs of each.
MMC_INLINE void storePairs(__m256 low, __m256 high, float *to) {
  const __m256 even = _mm256_unpacklo_ps(low, high), odd = _mm256_unpackhi_ps(low, high);
  const __m256 v[4] = {_mm256_shuffle_ps(even, even, 0x50), _mm256_shuffle_ps(even, even, 0xfa),
                       _mm256_shuffle_ps(odd, odd, 0x50), _mm256_shuffle_ps(odd, odd, 0xfa)};
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_ps(to + i * 4, _mm256_castps256_ps128(v[i]));
    _mm_storeu_ps(to + (i + 4) * 4, _mm256_extractf128_ps(v[i], 1));
  }
}

/// Eight columns of one k: each lane's two, twice. `lanes` floats between lanes.
MMC_INLINE void storeLanes(__m256 columns, float *to, uint32_t lanes) {
  const __m256d v = _mm256_castps_pd(columns);
  const __m256 even = _mm256_castpd_ps(_mm256_unpacklo_pd(v, v)), odd = _mm256_castpd_ps(_mm256_unpackhi_pd(v, v));
  _mm_storeu_ps(to, _mm256_castps256_ps128(even));
  _mm_storeu_ps(to + lanes, _mm256_castps256_ps128(odd));
  _mm_storeu_ps(to + 2 * lanes, _mm256_extractf128_ps(even, 1));
  _mm_storeu_ps(to + 3 * lanes, _mm256_extractf128_ps(odd, 1));
}

template <Element type> void fillA(const uint8_t *rows, bool negate, float *panel) {
  constexpr uint32_t depth = depthOf(type);
  const __m256 sign = _mm256_set1_ps(negate ? -0.0f : 0.0f);
  for (uint32_t pair = 0; pair < kPairs; ++pair) {
    const uint8_t *row = rows + (pair / 8 * 16 + pair % 8) * 32;
    for (uint32_t k = 0; k < depth; k += 8) {
      const __m256 low = _mm256_xor_ps(decode8<type>(row + k * bytesOf(type)), sign);
      const __m256 high = _mm256_xor_ps(decode8<type>(row + 8 * 32 + k * bytesOf(type)), sign);
      storePairs(low, high, panel + (pair * depth + k) * 4);
    }
  }
}

template <Element type> void fillB(Major major, const uint8_t *chunks, uint32_t n, float *panel) {
  constexpr uint32_t depth = depthOf(type);
  Piece piece = pieceAt(0, n / 2);
  for (uint32_t group = 0; group < n / 8; ++group) {
    if (group * 4 == piece.begin + piece.width) piece = pieceAt(group * 4, n / 2);
    float *to = panel + panelOffset(piece, depth) + group * 4 - piece.begin;
    const uint32_t lanes = depth * piece.width;
    for (uint32_t k = 0; k < depth; k += 8) {
      __m256 v[8];
      for (uint32_t i = 0; i < 8; ++i)
        v[i] = decode8<type>(major == Major::k ? chunks + (group * 8 + i) * 32 + k * bytesOf(type)
                                               : chunks + ((k + i) * (n / 8) + group) * 16);
      if (major == Major::k) transpose8(v);
      for (uint32_t i = 0; i < 8; ++i) storeLanes(v[i], to + (k + i) * piece.width, lanes);
    }
  }
}

/// 8 x 8 elements of 16 bits.
void transposeHalves(const uint8_t *from, uint32_t fromStride, uint8_t *to, uint32_t toStride) {
  __m128i v[8], t[8];
  for (int i = 0; i < 8; ++i) v[i] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + i * fromStride));
  for (int i = 0; i < 4; ++i) {
    t[i * 2] = _mm_unpacklo_epi16(v[i], v[i + 4]);
    t[i * 2 + 1] = _mm_unpackhi_epi16(v[i], v[i + 4]);
  }
  for (int i = 0; i < 4; ++i) {
    v[i * 2] = _mm_unpacklo_epi16(t[i], t[i + 4]);
    v[i * 2 + 1] = _mm_unpackhi_epi16(t[i], t[i + 4]);
  }
  for (int i = 0; i < 4; ++i) {
    t[i * 2] = _mm_unpacklo_epi16(v[i], v[i + 4]);
    t[i * 2 + 1] = _mm_unpackhi_epi16(v[i], v[i + 4]);
  }
  for (int i = 0; i < 8; ++i) _mm_storeu_si128(reinterpret_cast<__m128i *>(to + i * toStride), t[i]);
}

} // namespace

void decodeElements(Element type, const void *elements, uint32_t count, float *values) {
  forType(type, [&](auto constant) {
    constexpr Element kType = decltype(constant)::value;
    for (uint32_t i = 0; i < count; i += 8)
      _mm256_storeu_ps(values + i, decode8<kType>(static_cast<const uint8_t *>(elements) + i * bytesOf(kType)));
  });
}

struct TileProduct::Panels {
  alignas(64) float a[kPairs * kMaxDepth * 4];
  alignas(64) float b[4 * kMaxDepth * (kMaxColumns / 2 + 8)];
  alignas(64) float partial[128][kMaxColumns / 2]; // integers: sums of one instruction, exact in float32
};

TileProduct::TileProduct(Vectors vectors) : panels(std::make_unique<Panels>()) {
  avx512 = vectors == Vectors::best && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
TileProduct::~TileProduct() = default;

void TileProduct::setA(Element type, Major major, const uint8_t *chunks, bool negate) {
  depth = depthOf(type);
  uint8_t rows[64 * 32];
  if (major == Major::mn) {
    for (uint32_t k = 0; k < 16; k += 8)
      for (uint32_t group = 0; group < 8; ++group)
        transposeHalves(chunks + (k * 8 + group) * 16, 8 * 16, rows + group * 8 * 32 + k * 2, 32);
    chunks = rows;
  }
  forType(type, [&](auto constant) { fillA<decltype(constant)::value>(chunks, negate, panels->a); });
}

void TileProduct::setB(Element type, Major major, const uint8_t *chunks, uint32_t n) {
  columns = n;
  forType(type, [&](auto constant) { fillB<decltype(constant)::value>(major, chunks, n, panels->b); });
}

void TileProduct::multiply(float *const *fragments, bool zero) const {
  const product::Loop loop = {panels->a, panels->b, fragments, depth, columns / 2, zero};
  if (avx512) return product::multiplyAvx512(loop);
  product::multiplyAll<product::Vector8, 4, 2>(loop);
}

void TileProduct::multiplyIntegers(int32_t *const *fragments, bool zero, bool saturate) {
  // Products of 8-bit integers summed over 32 k stay below 2^22: float32 holds them exactly in any order.
  float *rows[128];
  for (uint32_t t = 0; t < 128; ++t) rows[t] = panels->partial[t];
  multiply(rows, true);
  for (uint32_t t = 0; t < 128; ++t)
    for (uint32_t i = 0; i < columns / 2; ++i) {
      const int64_t sum = int64_t(zero ? 0 : fragments[t][i]) + int64_t(rows[t][i]);
      const int64_t low = std::numeric_limits<int32_t>::min(), high = std::numeric_limits<int32_t>::max();
      fragments[t][i] = int32_t(uint32_t(saturate ? std::clamp(sum, low, high) : sum));
    }
}

} // namespace mmc::emu

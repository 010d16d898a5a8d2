// Number formats of tensor cores and the hardware's approximate functions, as pure functions on bits.
//
// Conversions from float32 round to nearest even, or as their name says; NaN becomes the format's canonical NaN, as PTX
// `cvt` does. The 8-bit formats saturate: whatever is too large, infinity included, becomes the largest finite number
// (cvt.rn.satfinite). Everything here is exact or correctly rounded, so tests compare bits.
#pragma once

#include <cstdint>

namespace mmc::emu::formats {

/// bfloat16: 8 exponent bits, 7 of fraction; canonical NaN 0x7fff.
float fromBf16(uint16_t bits);
uint16_t toBf16(float value);

/// IEEE half: 5 exponent bits, 10 of fraction, subnormals kept; canonical NaN 0x7fff.
float fromF16(uint16_t bits);
uint16_t toF16(float value);

/// e4m3: bias 7, largest 448, no infinity; NaN is 0x7f and 0xff. toE4m3 of NaN is 0x7f.
float fromE4m3(uint8_t bits);
uint8_t toE4m3(float value);

/// e5m2: bias 15, largest finite 57344, infinity 0x7c. toE5m2 of NaN is 0x7f.
float fromE5m2(uint8_t bits);
uint8_t toE5m2(float value);

/// tf32: float32 whose low 13 bits do not count. Reading drops them; writing rounds, ties to even (cvt.rn) or away from
/// zero (cvt.rna).
float fromTf32(uint32_t bits);
uint32_t toTf32(float value);
uint32_t toTf32Away(float value);

/// ex2.approx, rcp.approx, rsqrt.approx: the correctly rounded result, where hardware may be a few ulps off. With
/// `flush` (.ftz) subnormal arguments count as zero of their sign and subnormal results become zero of theirs. NaN
/// results are 0x7fffffff.
float ex2(float value, bool flush);
float rcp(float value, bool flush);
float rsqrt(float value, bool flush);
/// lg2.approx, tanh.approx and sqrt.approx by the same rules (tanh.approx has no .ftz: it keeps subnormals).
float lg2(float value, bool flush);
float tanh(float value);
float sqrt(float value, bool flush);

} // namespace mmc::emu::formats

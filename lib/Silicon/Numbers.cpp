// Short floats by their definition, in float64.
#include "lib/Silicon/Numbers.h"

#include <cmath>
#include <limits>

namespace mmc::silicon {

double ShortFloat::decode(uint32_t code) const {
  const uint32_t magnitude = code & ((1u << (exponentBits + mantissaBits)) - 1);
  const uint32_t exponent = magnitude >> mantissaBits, mantissa = magnitude & ((1u << mantissaBits) - 1);
  const uint32_t ones = (1u << exponentBits) - 1;
  const int bias = int(ones >> 1);
  double value;
  if (infinities && exponent == ones)
    value = mantissa ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (!infinities && magnitude == (1u << (exponentBits + mantissaBits)) - 1)
    value = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(double(mantissa), 1 - bias - mantissaBits);
  else
    value = std::ldexp(double(mantissa + (1u << mantissaBits)), int(exponent) - bias - mantissaBits);
  return code >> (exponentBits + mantissaBits) & 1 ? -value : value;
}

uint32_t ShortFloat::encode(double x) const {
  const uint32_t sign = std::signbit(x) ? 1u << (exponentBits + mantissaBits) : 0;
  const int bias = (1 << (exponentBits - 1)) - 1;
  const uint32_t infinity = ((1u << exponentBits) - 1) << mantissaBits;
  const uint32_t largest = infinities ? infinity - 1 : (1u << (exponentBits + mantissaBits)) - 2;
  const double magnitude = std::fabs(x);
  if (magnitude == 0) return sign;
  const uint32_t beyond = saturates ? largest : infinity;
  if (std::isinf(magnitude)) return sign | beyond;
  // Units of the last place at this magnitude; below the smallest normal number they stay what they are there.
  const int exponent = std::max(std::ilogb(magnitude), 1 - bias);
  const double units = std::nearbyint(std::ldexp(magnitude, mantissaBits - exponent));
  // A mantissa that rounds up to the next power of two carries into the exponent by itself.
  const double code = std::ldexp(double(exponent + bias - 1), mantissaBits) + units;
  return sign | (code > largest ? beyond : uint32_t(code));
}

double ulpAt(double magnitude) { return std::ldexp(1.0, std::max(std::ilogb(magnitude), -126) - 23); }

} // namespace mmc::silicon

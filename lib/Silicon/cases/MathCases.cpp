// Cases of ptx/math.cuh: three words in, one out, item by item.
#include "lib/Silicon/Numbers.h"

#include <cmath>
#include <functional>

namespace mmc::silicon {

namespace {

constexpr uint32_t kItems = 512;

Case itemsOf(const std::string &name, const std::string &module, const std::string &kernel, Words input) {
  Case c;
  c.name = name;
  c.module = module;
  c.kernel = kernel;
  c.count = uint32_t(input.size() / 3);
  c.input = std::move(input);
  c.initial.assign(c.count, kUntouched);
  return c;
}

/// Triples of floats.
using Draw = std::function<float(Random &)>;
Words triples(const std::string &name, const Draw &draw, std::vector<float> first = {}) {
  Random random(name);
  Words words;
  for (float x : first) words.push_back(bitsOf(x));
  while (words.size() < 3 * kItems) words.push_back(bitsOf(draw(random)));
  return words;
}

Draw between(float low, float high) {
  return [=](Random &random) { return random.uniform(low, high); };
}
/// Every exponent from 2^low to 2^high alike, both signs, few digits now and then, so that ties are common.
Draw acrossExponents(int low, int high) {
  return [=](Random &random) {
    const int exponent = low + int(random.below(uint32_t(high - low)));
    const uint32_t mantissa = random.word() & 0x7fffff & ~0u << random.below(23);
    return floatOf(uint32_t(127 + exponent) << 23 | mantissa | (random.word() & 0x80000000));
  };
}

using Approximate = double(double);
/// `relative` and `absolute` are what the manual allows; the larger of the two holds.
void addApproximation(std::vector<Case> &cases, const std::string &function, const Draw &draw, Approximate *exact,
                      double relative, double absolute) {
  const std::string name = "math." + function;
  Case c = itemsOf(name, "silicon_math", function + "Item", triples(name, draw));
  c.comparison = Comparison::approximation;
  for (uint32_t i = 0; i < c.count; ++i) {
    const double value = exact(floatOf(c.input[3 * i]));
    c.values.push_back(value);
    c.allowed.push_back(std::max(std::fabs(value) * relative, absolute));
  }
  cases.push_back(std::move(c));
}

using Rounded = std::function<uint32_t(float x, float y, float z)>;
void addRounded(std::vector<Case> &cases, const std::string &function, Words input, const Rounded &result,
                const char *module = "silicon_math") {
  Case c = itemsOf("math." + function, module, function + "Item", std::move(input));
  for (uint32_t i = 0; i < c.count; ++i)
    c.words.push_back(result(floatOf(c.input[3 * i]), floatOf(c.input[3 * i + 1]), floatOf(c.input[3 * i + 2])));
  cases.push_back(std::move(c));
}

void addArithmetic(std::vector<Case> &cases) {
  const Draw wide = acrossExponents(-30, 30);
  const auto draw = [&](const char *name) { return triples(std::string("math.") + name, wide); };
  addRounded(cases, "fusedMultiplyAdd", draw("fusedMultiplyAdd"),
             [](float x, float y, float z) { return bitsOf(std::fma(x, y, z)); });
  addRounded(cases, "divide", draw("divide"), [](float x, float y, float) { return bitsOf(x / y); });
  Words positive = draw("squareRoot");
  for (uint32_t &word : positive) word &= 0x7fffffff;
  addRounded(cases, "squareRoot", positive, [](float x, float, float) { return bitsOf(std::sqrt(x)); });
  const Words halves = triples("math.roundToInteger", acrossExponents(-3, 34), {0.5f, 1.5f, -2.5f, -0.5f, 0.25f, 1e9f});
  addRounded(cases, "roundToInteger", halves, [](float x, float, float) { return bitsOf(std::nearbyint(x)); });
  addRounded(cases, "toInteger", halves, [](float x, float, float) {
    const double whole = std::nearbyint(double(x));
    return uint32_t(int32_t(std::min(std::max(whole, -2147483648.0), 2147483647.0)));
  });
  const float nan = floatOf(0x7fc00000), infinity = floatOf(0x7f800000);
  const Words ends = triples("math.larger", wide, {nan, 1, 0, 2, nan, 0, infinity, 3, 0, -infinity, 4, 0});
  addRounded(cases, "larger", ends, [](float x, float y, float) { return bitsOf(std::fmax(x, y)); });
  addRounded(cases, "smaller", ends, [](float x, float y, float) { return bitsOf(std::fmin(x, y)); });
}

void addConversions(std::vector<Case> &cases) {
  const Words floats = triples("math.conversions", acrossExponents(-36, 24),
                               {0.0f, -0.0f, 1.0f, 448.0f, 464.0f, 480.0f, 65504.0f, 65520.0f, 57344.0f, 61440.0f,
                                0x1p-24f, 0x1p-25f, 0x1.8p-25f, 0x1p-10f, 0x1.8p-10f, 0x1p-17f, 3.39e38f, 0x1p-126f});
  const auto pair = [](const ShortFloat &format, int bits) {
    return [=](float x, float y, float) { return format.encode(y) << bits | format.encode(x); };
  };
  addRounded(cases, "packBf16", floats, pair(kBf16, 16));
  addRounded(cases, "packF16", floats, pair(kF16, 16));
  addRounded(cases, "toBf16", floats, [](float x, float, float) { return kBf16.encode(x); });
  addRounded(cases, "toF16", floats, [](float x, float, float) { return kF16.encode(x); });
  addRounded(cases, "packE4m3", floats, pair(kE4m3, 8), "silicon_math_short");
  addRounded(cases, "packE5m2", floats, pair(kE5m2, 8), "silicon_math_short");

  // Every code that is a number, in the first word of each triple.
  const auto codesOf = [](const ShortFloat &format, uint32_t end, bool pairs) {
    Words words;
    for (uint32_t code = 0; code < end; ++code)
      if (!std::isnan(format.decode(code))) {
        const uint32_t other = end - 1 - code, second = std::isnan(format.decode(other)) ? 0 : other;
        words.insert(words.end(), {pairs ? second << 8 | code : code, 0, 0});
      }
    return words;
  };
  const auto low = [](float x) { return bitsOf(x) & 0xffff; };
  Words every37;
  for (uint32_t code = 0; code < 65536; code += 37)
    if (!std::isnan(kF16.decode(code)) && !std::isnan(kBf16.decode(code))) every37.insert(every37.end(), {code, 0, 0});
  addRounded(cases, "bf16ToFloat", every37, [=](float x, float, float) { return bitsOf(float(kBf16.decode(low(x)))); });
  addRounded(cases, "f16ToFloat", every37, [=](float x, float, float) { return bitsOf(float(kF16.decode(low(x)))); });
  const auto toPair = [=](const ShortFloat &format) {
    return [=](float x, float, float) {
      const uint32_t codes = low(x);
      return kF16.encode(format.decode(codes >> 8)) << 16 | kF16.encode(format.decode(codes & 0xff));
    };
  };
  addRounded(cases, "e4m3ToF16", codesOf(kE4m3, 256, true), toPair(kE4m3), "silicon_math_short");
  addRounded(cases, "e5m2ToF16", codesOf(kE5m2, 256, true), toPair(kE5m2), "silicon_math_short");
}

/// Pairs of bf16 whose exponents are near, so that a b + c is exact in float64.
void addBf16Pairs(std::vector<Case> &cases) {
  Random random("math.fusedMultiplyAddBf16");
  Words words;
  while (words.size() < 3 * kItems) {
    const auto half = [&] { return (117 + random.below(20)) << 7 | (random.word() & 0x807f); };
    words.push_back(half() << 16 | half());
  }
  addRounded(cases, "fusedMultiplyAddBf16", words, [](float x, float y, float z) {
    const auto one = [&](int shift) {
      const auto at = [&](float v) { return kBf16.decode(bitsOf(v) >> shift & 0xffff); };
      return kBf16.encode(at(x) * at(y) + at(z)) << shift;
    };
    return one(16) | one(0);
  });
}

} // namespace

void addMathCases(std::vector<Case> &cases) {
  addApproximation(cases, "exp2", between(-100, 100), [](double x) { return std::exp2(x); }, 0x1p-22, 0);
  const Draw positive = [](Random &random) { return std::fabs(acrossExponents(-60, 60)(random)); };
  addApproximation(cases, "log2", positive, [](double x) { return std::log2(x); }, 0x1p-22, 0x1p-22);
  addApproximation(cases, "reciprocal", acrossExponents(-60, 60), [](double x) { return 1 / x; }, 0x1p-23, 0);
  addApproximation(cases, "rsqrt", positive, [](double x) { return 1 / std::sqrt(x); }, 0x1p-22, 0);
  addApproximation(cases, "tanh", between(-9, 9), [](double x) { return std::tanh(x); }, 0x1p-11, 0);
  addArithmetic(cases);
  addConversions(cases);
  addBf16Pairs(cases);
}

} // namespace mmc::silicon

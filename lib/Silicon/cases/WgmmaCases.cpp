// Cases of ptx/wgmma.cuh: operands laid out in an image of shared memory by the manual's canonical layouts, under every
// swizzle and both majors, and accumulators thread by thread.
#include "lib/Silicon/Products.h"

#include <algorithm>

namespace mmc::silicon {

namespace {

constexpr uint32_t kImageBytes = 5120 * 16, kNone = 0, k128 = 1, k64 = 2, k32 = 3; // swizzles as descriptors code them

uint32_t spanOf(uint32_t swizzle) { return swizzle == k128 ? 128 : swizzle == k64 ? 64 : swizzle == k32 ? 32 : 16; }

/// One operand in the image, as its descriptor names it.
struct Layout {
  uint32_t swizzle, start, leading, stride;
  bool transposed; // MN-major

  uint32_t byteOf(uint32_t mn, uint32_t k, uint32_t size) const {
    const uint32_t span = spanOf(swizzle), wide = transposed ? mn : k, deep = transposed ? k : mn;
    // Along `wide` bytes lie side by side as far as a span goes; along `deep` eight spans make an atom.
    const uint32_t beyond = wide * size / span, inside = wide * size % span;
    const bool swapped = transposed && swizzle == kNone; // here the two offsets have each other's meaning
    const uint32_t perSpan = swapped ? stride : leading, perAtom = swapped ? leading : stride;
    const uint32_t address = start + inside + deep % 8 * span + deep / 8 * perAtom + beyond * perSpan;
    return address ^ (address / 128 % (span / 16)) * 16;
  }
};

class Image {
public:
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kImageBytes, 0xff); // NaN where nothing lies
  uint32_t end = 0;

  Layout add(const Operand &operand, uint32_t swizzle, bool transposed) {
    const uint32_t span = spanOf(swizzle), atom = 8 * span, groups = operand.rows / 8;
    Layout layout{swizzle, end, 16, atom, transposed};
    if (swizzle == kNone) layout.leading = 128 * groups + 128, layout.stride = 128;
    if (swizzle != kNone && transposed) layout.leading = 2 * atom;
    const uint32_t size = bytesOf(operand.type);
    for (uint32_t row = 0; row < operand.rows; ++row)
      for (uint32_t k = 0; k < operand.depth; ++k)
        for (uint32_t byte = 0; byte < size; ++byte) {
          const uint32_t at = layout.byteOf(row, k, size) + byte;
          bytes.at(at) = uint8_t(operand.at(row, k) >> 8 * byte);
          end = std::max(end, at + 1);
        }
    end = (end + 1023) / 1024 * 1024;
    return layout;
  }
};

/// Thread and register of element (row, column) of D.
uint32_t placeOfD(uint32_t n, uint32_t row, uint32_t column) {
  const uint32_t thread = row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
  return thread * (n / 2) + column / 8 * 4 + row % 16 / 8 * 2 + column % 2;
}

struct Kind {
  const char *kernel;
  Type a, b;
  uint32_t n;
  bool transposedA = false, transposedB = false;
  double sign = 1;
  bool registers = false;
};

void add(std::vector<Case> &cases, const Kind &kind, uint32_t swizzle, bool accumulate) {
  constexpr const char *kNames[] = {"None", "128", "64", "32"};
  Case c;
  c.name = std::string("wgmma.") + kind.kernel + ".swizzle" + kNames[swizzle] + (accumulate ? "" : ".fresh");
  c.module = "silicon_wgmma";
  c.kernel = kind.kernel;
  c.threads = 128;
  c.sharedBytes = kImageBytes;
  Random random(c.name);
  const Operand a = drawOperand(random, kind.a, 64), b = drawOperand(random, kind.b, kind.n);
  const Words start = drawStart(random, isInteger(kind.a), 64 * kind.n);
  Image image;
  const Layout layoutA = kind.registers ? Layout{} : image.add(a, swizzle, kind.transposedA);
  const Layout layoutB = image.add(b, swizzle, kind.transposedB);
  c.input = {image.end / 16, layoutA.start,   layoutA.leading, layoutA.stride,  layoutA.swizzle,
             layoutB.start,  layoutB.leading, layoutB.stride,  layoutB.swizzle, accumulate};
  c.input.resize(32 + 512, 0);
  if (kind.registers)
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t k = 0; k < a.depth; ++k) {
        // As A of mma.sync in the warp's 16 rows.
        const uint32_t byte = k * bytesOf(kind.a), thread = row / 16 * 32 + row % 8 * 4 + byte % 16 / 4;
        c.input[32 + thread * 4 + byte / 16 * 2 + row % 16 / 8] |= a.at(row, k) << 8 * (byte % 4);
      }
  c.input.insert(c.input.end(), start.begin(), start.end());
  for (uint32_t at = 0; at < image.end; at += 4)
    c.input.push_back(image.bytes[at] | image.bytes[at + 1] << 8 | image.bytes[at + 2] << 16 |
                      uint32_t(image.bytes[at + 3]) << 24);
  expectProduct(c, a, b, kind.sign, accumulate, start, placeOfD);
  cases.push_back(std::move(c));
}

} // namespace

void addWgmmaCases(std::vector<Case> &cases) {
  const Kind everySwizzle[] = {
      {"bf16n64", Type::bf16, Type::bf16, 64},
      {"bf16n64TransposedA", Type::bf16, Type::bf16, 64, true, false},
      {"bf16n64TransposedB", Type::bf16, Type::bf16, 64, false, true},
      {"e4m3n64", Type::e4m3, Type::e4m3, 64},
      {"s8n64", Type::s8, Type::s8, 64},
  };
  for (const Kind &kind : everySwizzle)
    for (uint32_t swizzle : {kNone, k32, k64, k128}) add(cases, kind, swizzle, true);
  const Kind others[] = {
      {"bf16n8", Type::bf16, Type::bf16, 8},
      {"bf16n128", Type::bf16, Type::bf16, 128},
      {"bf16n192", Type::bf16, Type::bf16, 192},
      {"bf16n256", Type::bf16, Type::bf16, 256},
      {"bf16n128TransposedBoth", Type::bf16, Type::bf16, 128, true, true},
      {"bf16n16NegatedA", Type::bf16, Type::bf16, 16, false, false, -1},
      {"bf16n16NegatedB", Type::bf16, Type::bf16, 16, false, false, -1},
      {"bf16n64Registers", Type::bf16, Type::bf16, 64, false, false, 1, true},
      {"bf16n128RegistersTransposedB", Type::bf16, Type::bf16, 128, false, true, 1, true},
      {"f16n64", Type::f16, Type::f16, 64},
      {"f16n128TransposedB", Type::f16, Type::f16, 128, false, true},
      {"f16n32RegistersNegatedA", Type::f16, Type::f16, 32, false, false, -1, true},
      {"e4m3n128Registers", Type::e4m3, Type::e4m3, 128, false, false, 1, true},
      {"e4m3e5m2n32", Type::e4m3, Type::e5m2, 32},
      {"e5m2e4m3n32", Type::e5m2, Type::e4m3, 32},
      {"e5m2n64", Type::e5m2, Type::e5m2, 64},
      {"s8n256", Type::s8, Type::s8, 256},
      {"s8u8n32", Type::s8, Type::u8, 32},
      {"u8s8n32", Type::u8, Type::s8, 32},
      {"u8n128Registers", Type::u8, Type::u8, 128, false, false, 1, true},
  };
  for (const Kind &kind : others) add(cases, kind, k128, true);
  for (const char *kernel : {"bf16n64", "f16n64", "e4m3n64", "s8n64"}) {
    const Type type = kernel[0] == 'b'   ? Type::bf16
                      : kernel[0] == 'f' ? Type::f16
                      : kernel[0] == 'e' ? Type::e4m3
                                         : Type::s8;
    add(cases, {kernel, type, type, 64}, k128, false);
  }
}

} // namespace mmc::silicon

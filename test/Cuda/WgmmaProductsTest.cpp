// Proves that every kind of wgmma multiplies what its descriptors name: operands are laid out element by element by the
// canonical layouts, in both majors and all swizzles, and the accumulators compared for equality with float64 products.
// A stride, a swizzle or a place of a fragment that is wrong by anything shows.
#include "test/Cuda/CanonicalLayout.h"
#include "test/Cuda/KernelRun.h"
#include "test/Cuda/Matrices.h"

#include "runtime/cuda/emulation/ops/Descriptor.h"

#include <type_traits>

using namespace mmc::emu;
using namespace mmc::emu::test;

namespace {

constexpr uint32_t kImageBytes = 6144 * 16;

/// Shared memory from offset 0 on; NaN where nothing is laid out, so that a stray read shows.
struct Image {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kImageBytes, 0xff);
  uint32_t end = 0;
  /// Lays the operand (rows x k) out behind what is there, and gives its descriptor. `gap` widens the strides.
  uint64_t add(Element type, Major major, Swizzle swizzle, const Matrix &operand, uint32_t gap) {
    const uint32_t groups = operand.rows / 8, atom = 8 * spanOf(swizzle);
    Descriptor d;
    d.swizzle = swizzle;
    d.start = end;
    if (swizzle == Swizzle::none) {
      d.strideOffset = 128 + gap * 16;
      d.leadingOffset = d.strideOffset * groups + gap * 32;
    } else {
      d.strideOffset = atom * (1 + gap % 2);
      d.leadingOffset = major == Major::k ? 16 : d.strideOffset * 2;
    }
    for (uint32_t row = 0; row < operand.rows; ++row)
      for (uint32_t k = 0; k < operand.columns; ++k) {
        const uint32_t at = swizzled(
            swizzle, d.start + canonical(swizzle, major, bytesOf(type), d.leadingOffset, d.strideOffset, row, k));
        place(type, operand.at(row, k), &bytes.at(at));
        end = std::max(end, at + bytesOf(type));
      }
    end = (end + 1023) / 1024 * 1024;
    return d.encode();
  }
};

/// By the tables of the PTX ISA: thread and register of element (row, column) of D, as an index of the kernel's array.
size_t accumulatorAt(uint32_t n, uint32_t row, uint32_t column) {
  const uint32_t thread = row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
  return size_t(thread) * (n / 2) + column / 8 * 4 + row % 16 / 8 * 2 + column % 2;
}
/// The same of A in registers: byte `byte` of 32 of a row.
size_t registerByteOfA(uint32_t row, uint32_t byte) {
  const uint32_t thread = row / 16 * 32 + row % 8 * 4 + byte % 16 / 4;
  return size_t(thread) * 16 + (byte / 16 * 2 + row % 16 / 8) * 4 + byte % 4;
}

struct Kind {
  const char *name;
  const MmcEmuKernel &kernel;
  Element a, b;
  uint32_t n;
  Major majorA, majorB;
  bool negate, registers;
};

template <class D> void check(const Kind &kind, Swizzle swizzleA, Swizzle swizzleB, bool accumulate, uint32_t gap) {
  const uint32_t depth = depthOf(kind.a), n = kind.n;
  const Matrix a = randomMatrix(kind.a, 64, depth, gap + 1), b = randomMatrix(kind.b, n, depth, gap + 2);
  const Matrix expected = multiply(a, b);
  Image image;
  std::vector<uint32_t> registers(512);
  uint64_t descriptorA = 0;
  if (kind.registers) {
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t k = 0; k < depth; ++k)
        place(kind.a, a.at(row, k),
              reinterpret_cast<uint8_t *>(registers.data()) + registerByteOfA(row, k * bytesOf(kind.a)));
  } else {
    descriptorA = image.add(kind.a, kind.majorA, swizzleA, a, gap);
  }
  const uint64_t descriptorB = image.add(kind.b, kind.majorB, swizzleB, b, gap + 1);
  Device<uint8_t> imageMemory(image.bytes);
  Device<uint32_t> registerMemory(registers);
  std::vector<D> start(128 * n / 2);
  for (size_t i = 0; i < start.size(); ++i) start[i] = D(i % 1000);
  Device<D> d(start);
  const uint32_t chunks = image.end / 16, add = accumulate;
  const Outcome outcome =
      kind.registers
          ? run(kind.kernel, {1, 128}, gap, imageMemory.data, chunks, registerMemory.data, descriptorB, d.data, add)
          : run(kind.kernel, {1, 128}, gap, imageMemory.data, chunks, descriptorA, descriptorB, d.data, add);
  ASSERT_TRUE(silent(outcome)) << kind.name;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < n; ++column) {
      const size_t at = accumulatorAt(n, row, column);
      const double sum = (kind.negate ? -1 : 1) * expected.at(row, column) + (accumulate ? double(start[at]) : 0);
      ASSERT_EQ(double(d[at]), sum) << kind.name << " swizzles " << int(swizzleA) << int(swizzleB) << " gap " << gap
                                    << " row " << row << " column " << column;
    }
}

void checkAll(const Kind &kind) {
  uint32_t gap = 0;
  for (Swizzle swizzleA : kSwizzles) {
    if (kind.registers && swizzleA != Swizzle::none) continue;
    for (Swizzle swizzleB : kSwizzles) {
      ++gap;
      if (isInteger(kind.a))
        check<int32_t>(kind, swizzleA, swizzleB, gap % 3 != 0, gap % 4);
      else
        check<float>(kind, swizzleA, swizzleB, gap % 3 != 0, gap % 4);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

} // namespace

#define SHARED(name, a, b, n, majorA, majorB, negate)                                                                  \
  MMC_TEST_KERNEL(name);                                                                                               \
  TEST(WgmmaProducts, name) {                                                                                          \
    checkAll({#name, mmcEmuKernel_##name, Element::a, Element::b, n, Major::majorA, Major::majorB, negate, false});    \
  }
#define REGISTERS(name, a, b, n, majorB, negate)                                                                       \
  MMC_TEST_KERNEL(name);                                                                                               \
  TEST(WgmmaProducts, name) {                                                                                          \
    checkAll({#name, mmcEmuKernel_##name, Element::a, Element::b, n, Major::k, Major::majorB, negate, true});          \
  }

SHARED(bf16n8, bf16, bf16, 8, k, k, false)
SHARED(bf16n64, bf16, bf16, 64, k, k, false)
SHARED(bf16n64TransposedA, bf16, bf16, 64, mn, k, false)
SHARED(bf16n64TransposedB, bf16, bf16, 64, k, mn, false)
SHARED(bf16n96TransposedBoth, bf16, bf16, 96, mn, mn, false)
SHARED(bf16n256, bf16, bf16, 256, k, k, false)
SHARED(bf16n256TransposedB, bf16, bf16, 256, k, mn, false)
SHARED(bf16n16NegatedA, bf16, bf16, 16, k, k, true)
SHARED(bf16n16NegatedB, bf16, bf16, 16, k, k, true)
SHARED(bf16n16NegatedBoth, bf16, bf16, 16, k, k, false)
SHARED(f16n24, f16, f16, 24, k, k, false)
SHARED(f16n128TransposedB, f16, f16, 128, k, mn, false)
SHARED(e4m3n64, e4m3, e4m3, 64, k, k, false)
SHARED(e4m3e5m2n32, e4m3, e5m2, 32, k, k, false)
SHARED(e5m2e4m3n32, e5m2, e4m3, 32, k, k, false)
SHARED(e5m2n8NegatedA, e5m2, e5m2, 8, k, k, true)
SHARED(s8n64, s8, s8, 64, k, k, false)
SHARED(s8u8n24, s8, u8, 24, k, k, false)
SHARED(u8s8n80, u8, s8, 80, k, k, false)
SHARED(u8n256, u8, u8, 256, k, k, false)
REGISTERS(bf16n64Registers, bf16, bf16, 64, k, false)
REGISTERS(bf16n128RegistersTransposedB, bf16, bf16, 128, mn, false)
REGISTERS(f16n16RegistersNegated, f16, f16, 16, k, true)
REGISTERS(e4m3n32Registers, e4m3, e4m3, 32, k, false)
REGISTERS(s8n48Registers, s8, s8, 48, k, false)

// What must happen before what in emitted kernels: loads before the stores that overwrite them, and barriers between
// threads that exchange values through global or shared memory. The emulation reports what is missing as a race.
#include "test/Target/CUDA/EmittedModule.h"

using namespace mmc::test;

namespace {

constexpr int kSize = 64;

Argument matrix(unsigned seed) { return floats(randomFloats(kSize * kSize, seed)); }

/// A kernel of one point with matrices x (read), s (read and written) and y (written).
EmittedModule kernel(const std::string &body) {
  return EmittedModule("tile.kernel @order(%x: !tile.view<64x64xf32> {tile.access = \"read\"}, %s: "
                       "!tile.view<64x64xf32> {tile.access = \"readwrite\"}, %y: !tile.view<64x64xf32> "
                       "{tile.access = \"write\"}) domain(%p in #tile.extent<fixed, 1>) {\n"
                       "  %c0 = arith.constant 0 : index\n  %c1 = arith.constant 1 : index\n"
                       "  %c8 = arith.constant 8 : index\n  %c64 = arith.constant 64 : index\n" +
                       body + "  tile.return\n}\n");
}

std::string load(const std::string &name, const std::string &view) {
  return "  " + name + " = tile.load " + view +
         "[%c0, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<64x64xf32>\n";
}
std::string store(const std::string &name, const std::string &view) {
  return "  tile.store " + name + ", " + view + "[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>\n";
}
std::string loadRow(const std::string &name, const std::string &view) {
  return "    " + name + " = tile.load " + view + "[%r, %c0] along [1] : !tile.view<64x64xf32> -> tensor<64xf32>\n";
}
std::string storeRow(const std::string &name, const std::string &view) {
  return "    tile.store " + name + ", " + view + "[%r, %c0] along [1] : tensor<64xf32>, !tile.view<64x64xf32>\n";
}

void check(EmittedModule module) {
  module.check("order", {matrix(1), updated(matrix(2), kSize), written(Kind::f32, kSize * kSize, kSize)}, {}, 1e-6);
}

} // namespace

TEST(EmittedOrder, ThreadsReadWhatOthersStoredAndThenOverwriteIt) {
  check(kernel(load("%X", "%x") + store("%X", "%s") + "  scf.for %r = %c0 to %c64 step %c1 {\n" +
               loadRow("%row", "%s") + storeRow("%row", "%y") + "  }\n  %Y = arith.addf %X, %X : tensor<64x64xf32>\n" +
               store("%Y", "%s")));
}

TEST(EmittedOrder, AnExpressionOfALoadIsMadeBeforeTheStoreThatOverwritesIt) {
  check(kernel(load("%old", "%s") + "  %twice = arith.addf %old, %old : tensor<64x64xf32>\n" + load("%X", "%x") +
               store("%X", "%s") + store("%twice", "%y")));
}

TEST(EmittedOrder, ALoadIsMadeBeforeTheLoopThatOverwritesIt) {
  check(kernel(load("%old", "%s") + "  scf.for %r = %c0 to %c64 step %c1 {\n" + loadRow("%row", "%x") +
               storeRow("%row", "%s") + "  }\n" + store("%old", "%y")));
}

// The sums are exchanged in front of the loop for what its body stores last, through the tile that was read just before
// the loop; the body's own exchange through another tile has put a barrier between its own uses by then.
TEST(EmittedOrder, AnExchangeInFrontOfALoopMindsTheOneBeforeIt) {
  auto rows = [](const std::string &value, const char *view) {
    return "    tile.store " + value + ", " + view +
           "[%r, %c0] along [0, 1] : tensor<8x64xf32>, !tile.view<64x64xf32>\n";
  };
  check(kernel(load("%X", "%x") +
               "  %sums = tile.reduce add %X along 1 : tensor<64x64xf32> -> tensor<64xf32>\n"
               "  %across = tile.broadcast %sums to [1] : tensor<64xf32> -> tensor<64x64xf32>\n" +
               store("%across", "%s") +
               "  scf.for %r = %c0 to %c64 step %c8 {\n"
               "    %Z = tile.load %x[%r, %c0] along [0, 1] : !tile.view<64x64xf32> -> tensor<8x64xf32>\n"
               "    %z = tile.reduce add %Z along 1 : tensor<8x64xf32> -> tensor<8xf32>\n"
               "    %row = tile.reshape %z : tensor<8xf32> -> tensor<1x8xf32>\n"
               "    tile.store %row, %y[%r, %c0] along [0, 1] : tensor<1x8xf32>, !tile.view<64x64xf32>\n"
               "    %late = tile.broadcast %sums to [1] : tensor<64xf32> -> tensor<8x64xf32>\n" +
               rows("%late", "%y") + "  }\n"));
}

// Lightning and softmax attention kernels, compiled for every variant, against the tile interpreter; decode against
// prefill bit for bit.
#include "test/Target/CPU/KernelHarness.h"

#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

using namespace mmc::test;
using mmc::cpu::Variant;

namespace {

constexpr double kF32 = 1e-5;
constexpr int kHeads = 2, kChannels = 16, kStride = 3 * kHeads * kChannels, kState = kHeads * kChannels * kChannels;

std::vector<Argument> lightning(int rows, const std::vector<int32_t> &records, int slots, std::vector<float> rate) {
  Argument u = floats(randomFloats(rows * kStride, rows));
  return {u,
          u,
          u,
          floats(rate),
          updated(floats(randomFloats(slots * kState, 9)), kChannels),
          written(Kind::f32, rows * kHeads * kChannels, kChannels),
          integers(records)};
}

/// The program of a file of test/Inputs/tile with some arguments and the tiles loaded from them in bf16, widened after
/// the load.
std::string inBf16(const std::string &file, const std::vector<std::string> &views,
                   const std::vector<std::string> &tiles) {
  std::ifstream stream(std::string(MMC_SOURCE_DIR "/test/Inputs/tile/") + file);
  std::stringstream buffer;
  buffer << stream.rdbuf();
  std::string text = buffer.str();
  for (const std::string &view : views) {
    text = std::regex_replace(text, std::regex("(%" + view + ": !tile.view<[?x0-9]*)f32"), "$1bf16");
    text = std::regex_replace(text, std::regex("(tile.load %" + view + "\\[.*: !tile.view<[?x0-9]*)f32"), "$1bf16");
  }
  for (const std::string &tile : tiles)
    text = std::regex_replace(text, std::regex("%" + tile + " = (tile.load .* -> tensor<[x0-9]*)f32>\n"),
                              "%" + tile + "_narrow = $1bf16>\n%" + tile + " = arith.extf %" + tile +
                                  "_narrow : tensor<" + "@" + tile + "@" + "bf16> to tensor<@" + tile + "@f32>\n");
  for (const std::string &tile : tiles) {
    // The shape behind the cast is that of the load.
    std::smatch match;
    std::regex shape("%" + tile + "_narrow = tile.load .* -> tensor<([x0-9]*)bf16>");
    size_t at = 0;
    while (std::regex_search(text.cbegin() + at, text.cend(), match, shape)) {
      std::string size = match[1];
      at += match.position(0) + match.length(0);
      for (int i = 0; i < 2; ++i) text.replace(text.find("@" + tile + "@", at), tile.size() + 2, size);
    }
  }
  return text;
}

} // namespace

TEST(CpuAttention, LightningOfBf16Rows) {
  CompiledModule module(inBf16("lightning_prefill.mlir", {"q", "k", "v"}, {"Q", "K", "V"}));
  for (int rows : {1, 33, 64, 150}) {
    std::vector<Argument> arguments = lightning(rows, {1, 0, rows, 0}, 2, {0.9f, 0.01f});
    arguments[0] = arguments[1] = arguments[2] = bf16s(valuesOf(arguments[0]));
    for (const char *name : {"lightning_prefill_c32", "lightning_prefill_c64"})
      module.check(name, arguments, {.work = {1}}, kF32);
  }
}

TEST(CpuAttention, LightningPrefill) {
  CompiledModule module("lightning_prefill.mlir");
  for (const char *name : {"lightning_prefill_c32", "lightning_prefill_c64"})
    for (int rows : {1, 5, 31, 32, 33, 64, 65, 150}) {
      SCOPED_TRACE(std::to_string(rows) + " rows");
      module.check(name, lightning(rows + 20, {0, 20, rows, 7, 2, 0, 20, 0}, 3, {0.9f, 0.01f}), {.work = {2}}, kF32);
    }
  module.check("lightning_prefill_c64", lightning(70, {0, 0, 70, 0}, 1, {2.0f, 30.0f}), {.work = {1}}, kF32);
}

TEST(CpuAttention, LightningDecodeIsPrefillOfOneRowBitForBit) {
  CompiledModule prefill("lightning_prefill.mlir"), decode("lightning_decode.mlir");
  std::vector<Argument> arguments = lightning(3, {1, 0, 1, 11, 0, 1, 1, 3, 2, 2, 1, 0}, 3, {0.9f, 0.01f});
  decode.check("lightning_decode", arguments, {.work = {3}}, kF32);
  for (Variant variant : mmc::cpu::allVariants())
    for (const char *block : {"lightning_prefill_c32", "lightning_prefill_c64"}) {
      std::vector<Argument> a = arguments, b = arguments;
      decode.run("lightning_decode", variant, a, {.work = {3}});
      prefill.run(block, variant, b, {.work = {3}});
      for (size_t i : {4, 5})
        EXPECT_EQ(std::memcmp(a[i].memory.data(), b[i].memory.data(), a[i].memory.size()), 0)
            << block << ", " << mmc::cpu::variantName(variant);
    }
}

TEST(CpuAttention, SoftmaxOverAPagedCacheWithStaleNaN) {
  CompiledModule module("attention.mlir");
  const int pageCount = 16, table = 4, pageSize = 2048, rows = 27;
  std::vector<int32_t> pages(4 * table);
  for (int i = 0, next = 13; i < 4 * table; ++i, next = (next + 5) % 16) pages[i] = next;
  // What was never written is NaN and must not be seen.
  std::vector<float> keys(pageCount * pageSize, NAN), values(pageCount * pageSize, NAN),
      data = randomFloats(16 * pageSize, 2, 3);
  size_t next = 0;
  auto fill = [&](int slot, int positions) {
    for (int p = 0; p < positions; ++p)
      for (int g = 0; g < 2; ++g)
        for (int c = 0; c < 16; ++c) {
          size_t page = size_t(pages[slot * table + p / 64]) * pageSize;
          keys[page + p % 64 + g * 1024 + c * 64] = data[next++];
          values[page + p % 64 * 16 + g * 1024 + c] = data[next++];
        }
  };
  fill(2, 20);
  fill(0, 105);
  fill(3, 201);
  fill(1, 65);
  Argument q = floats(randomFloats(rows * 64, 1)), k = floats(keys), v = floats(values), p = integers(pages);
  // Only rows that a tile has are compared: the others keep the pattern.
  Argument o = written(Kind::f32, rows * 64, 16);
  CompiledModule narrow(inBf16("attention.mlir", {"kcache", "vcache"}, {"K", "V"}));
  Argument kb = bf16s(keys), vb = bf16s(values);
  narrow.check("attention_prefill", {q, kb, p, vb, p, o, integers({2, 0, 16, 0, 2, 16, 4, 16, 0, 20, 5, 100})},
               {.work = {3}}, kF32);
  narrow.check("attention_decode", {q, kb, p, vb, p, o, integers({3, 25, 1, 200, 1, 26, 1, 64})}, {.work = {2}}, kF32);
  module.check("attention_prefill", {q, k, p, v, p, o, integers({2, 0, 16, 0, 2, 16, 4, 16, 0, 20, 5, 100})},
               {.work = {3}}, kF32);
  module.check("attention_decode", {q, k, p, v, p, o, integers({3, 25, 1, 200, 1, 26, 1, 64})}, {.work = {2}}, kF32);
}

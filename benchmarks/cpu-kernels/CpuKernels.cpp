// Linear kernels of one core against the machine's peaks: products with many rows against the FMA (or bf16 dot) peak,
// products with one row, whose weights come from DRAM, against a plain read pass over the same memory. Each figure is
// the median of pairs measured one after the other.
//
//   cpu-kernels [--quick] [VARIANT]
#include "benchmarks/cpu-kernels/Peaks.h"
#include "dialects/Tile/IR/Tile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <sys/mman.h>
#include <unistd.h>

using namespace mmc;
using namespace mmc::benchmark;

namespace {

using Function = void (*)(const void *, int64_t, int64_t, void *);

struct Kernel {
  Function function = nullptr;
  std::vector<std::byte> scratch;
};

std::string replaceAll(std::string text, const std::vector<std::pair<std::string, std::string>> &names) {
  for (const auto &[from, to] : names)
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  return text;
}

/// y = x w^T for rows given at run time, in row blocks of 48.
std::string linear(int64_t n, int64_t k, bool bf16) {
  const char *text = R"(
tile.kernel @linear(%x: !tile.view<?xKxT> {tile.access = "read"}, %w: !tile.view<NxKxT, #tile.panels<n = 16, k = PAIR, pad = 64>> {tile.access = "read"},
    %y: !tile.view<?xNxf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, PANELS>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?xKxT> -> tensor<48xKxT>
    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<NxKxT, #tile.panels<n = 16, k = PAIR, pad = 64>> -> tensor<64xKxT>
    %Y = tile.dot %X, %W transpose_b : tensor<48xKxT>, tensor<64xKxT> -> tensor<48x64xf32>
    tile.store %Y, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?xNxf32>
  }
  tile.return
})";
  return replaceAll(text, {{"PANELS", std::to_string((n + 63) / 64)},
                           {"PAIR", bf16 ? "2" : "1"},
                           {"<NxKxT", "<" + std::to_string(n) + "xKxT"},
                           {"?xNx", "?x" + std::to_string(n) + "x"},
                           {"xKxT", "x" + std::to_string(k) + (bf16 ? "xbf16" : "xf32")}});
}

Kernel compile(const std::string &text, cpu::Variant variant) {
  mlir::DialectRegistry registry;
  tile::registerTileDialect(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  std::string error = "the program does not parse";
  std::optional<cpu::CpuObject> object;
  if (module) object = cpu::compileCpu(*module, {.variants = {variant}}, error);
  if (!object) {
    std::fprintf(stderr, "cpu-kernels: %s\n", error.c_str());
    exit(1);
  }
  int file = memfd_create("kernels", 0);
  if (write(file, object->elf.data(), object->elf.size()) != ssize_t(object->elf.size())) exit(1);
  void *library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW);
  Kernel kernel;
  kernel.function = reinterpret_cast<Function>(dlsym(library, object->kernels[0].symbol.c_str()));
  kernel.scratch.resize(object->kernels[0].scratchBytes + 64);
  return kernel;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::byte *reserve(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, bytes, MADV_HUGEPAGE);
  return static_cast<std::byte *>(memory);
}

} // namespace

int main(int argc, char **argv) {
  bool quick = argc > 1 && !std::strcmp(argv[1], "--quick");
  cpu::Variant variant = hostVariant();
  if (argc > 1 + quick) variant = cpu::parseVariant(argv[1 + quick]).value_or(variant);
  const size_t weightBytes = quick ? size_t(128) << 20 : size_t(512) << 20;
  std::byte *weights = reserve(weightBytes);
  for (size_t i = 0; i < weightBytes / 4; ++i)
    reinterpret_cast<uint32_t *>(weights)[i] = 0x3c003c00 + uint32_t(i * 2654435761u >> 9 & 0x00ff00ff);
  std::byte *x = reserve(64 << 20), *y = reserve(64 << 20);
  std::memset(x, 0x3c, 64 << 20);
  std::memset(y, 0, 64 << 20);
  std::printf("variant %s, one core; percent of the %s peak, or of the read bandwidth for cold weights\n",
              cpu::variantName(variant), "FMA");
  std::printf("%-6s %12s %6s %10s %8s\n", "dtype", "N x K", "rows", "GFLOP/s", "percent");
  for (bool bf16 : {false, true})
    for (auto [n, k] : {std::pair<int64_t, int64_t>{3072, 1024}, {1024, 1024}}) {
      Kernel kernel = compile(linear(n, k, bf16), variant);
      size_t bytes = size_t(n) * k * (bf16 ? 2 : 4), copies = weightBytes / bytes;
      auto call = [&](std::byte *w, int64_t rows) {
        uint64_t words[] = {uint64_t(x), uint64_t(w), uint64_t(y), uint64_t(rows)};
        kernel.function(words, 0, (n + 63) / 64, kernel.scratch.data());
      };
      for (int64_t rows : {1, 6, 16, 128, 512}) {
        double flops = 2.0 * n * k * rows;
        int calls = int(std::max(1.0, (quick ? 2e8 : 1e9) / flops));
        std::vector<double> ratios, rates;
        for (int i = 0; i < (quick ? 3 : 9); ++i) {
          double peak = bf16 ? bf16Peak(variant) : fmaPeak(variant);
          double time = seconds([&] {
            for (int c = 0; c < calls; ++c) call(weights, rows);
          });
          rates.push_back(flops * calls / time);
          ratios.push_back(rates.back() / peak);
        }
        std::printf("%-6s %5ld x %4ld %6ld %10.1f %7.1f%%\n", bf16 ? "bf16" : "f32", long(n), long(k), long(rows),
                    median(rates) / 1e9, 100 * median(ratios));
      }
      std::vector<double> ratios, rates;
      for (int i = 0; i < (quick ? 3 : 7); ++i) {
        double bandwidth = readBandwidth(weights, copies * bytes);
        double time = seconds([&] {
          for (size_t c = 0; c < copies; ++c) call(weights + c * bytes, 1);
        });
        rates.push_back(double(copies) * bytes / time);
        ratios.push_back(rates.back() / bandwidth);
      }
      std::printf("%-6s %5ld x %4ld %6s %7.1f GB/s %6.1f%%\n", bf16 ? "bf16" : "f32", long(n), long(k), "1 cold",
                  median(rates) / 1e9, 100 * median(ratios));
    }
}

// Is lightning attention linear in length? Runs the prefill kernel alone, 16 heads of 128, on one thread over 1k to 32k
// tokens and prints the time per token against the shortest length: 1.00 everywhere is linear.
#include "dialects/Tile/IR/Tile.h"
#include "lib/Compiler/Ladder.h"
#include "lib/Target/CPU/CompileCpu.h"
#include "passes/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <dlfcn.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace mlir;

namespace {

constexpr int64_t kHeads = 16, kDim = 128, kBlock = 64;
using Kernel = void (*)(const void *, int64_t, int64_t, void *);

constexpr const char *kModel = R"mlir(
#tokens = #model.rows<tokens>
model.program @probe attributes {vocabulary = 64 : i64} {
  model.table @rates : tensor<1x16xf32> = #model.lightning_rates<layers = 1, heads = 16, form = original>
  model.func @layer(%x: tensor<?x6144xf32, #tokens>, %batch: !model.batch, %layer: index, %s: tensor<16x128x128xf32, #model.state>)
      -> (tensor<?x6144xf32, #tokens>, tensor<16x128x128xf32, #model.state>) {
    %q, %k, %v = model.split_heads %x : tensor<?x6144xf32, #tokens>
        -> tensor<?x16x128xf32, #tokens>, tensor<?x16x128xf32, #tokens>, tensor<?x16x128xf32, #tokens>
    %r = model.row @rates[%layer] : tensor<16xf32>
    %y, %s1 = model.linear_attention additive, head %q, %k, %v, %batch rate %r state %s
        : (tensor<?x16x128xf32, #tokens>, tensor<?x16x128xf32, #tokens>, tensor<?x16x128xf32, #tokens>, !model.batch, tensor<16xf32>,
           tensor<16x128x128xf32, #model.state>) -> (tensor<?x16x128xf32, #tokens>, tensor<16x128x128xf32, #model.state>)
    %m = model.merge_heads %y : tensor<?x16x128xf32, #tokens>
    %w = model.weight "w.weight" : tensor<6144x2048xf32>
    %z = model.linear %m, %w : tensor<?x2048xf32, #tokens>, tensor<6144x2048xf32>
    model.return %z, %s1 : tensor<?x6144xf32, #tokens>, tensor<16x128x128xf32, #model.state>
  }
})mlir";

/// The prefill kernel as a function of this process.
Kernel compileKernel(uint64_t &scratchBytes) {
  DialectRegistry registry;
  mmc::registerMmcDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = parseSourceString<ModuleOp>(kModel, ParserConfig(&context));
  PassManager manager(&context);
  mmc::PipelineOptions options;
  options.recurrenceBlock = kBlock;
  mmc::buildModelToTilePipeline(manager, options);
  if (!module || failed(manager.run(*module))) return nullptr;
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(UnknownLoc::get(&context));
  module->walk([&](mmc::tile::KernelOp kernel) {
    if (kernel.getSymName().starts_with("lightning_prefill")) kernels->push_back(kernel->clone());
  });
  mmc::cpu::CpuOptions cpu;
  __builtin_cpu_init();
  cpu.variants = {__builtin_cpu_supports("avx512vl") ? mmc::cpu::Variant::avx512 : mmc::cpu::Variant::x86_64_v3};
  std::string error;
  auto object = mmc::cpu::compileCpu(*kernels, cpu, error);
  if (!object || object->kernels.size() != 1)
    return std::fprintf(stderr, "cannot compile: %s\n", error.c_str()), nullptr;
  int file = memfd_create("lightning", 0);
  if (write(file, object->elf.data(), object->elf.size()) != static_cast<ssize_t>(object->elf.size())) return nullptr;
  void *library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  scratchBytes = object->kernels[0].scratchBytes;
  return library ? reinterpret_cast<Kernel>(dlsym(library, object->kernels[0].symbol.c_str())) : nullptr;
}

/// Processor time of this thread: what others do on the machine counts less than in wall time.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

} // namespace

int main() {
  uint64_t scratchBytes = 0;
  Kernel kernel = compileKernel(scratchBytes);
  if (!kernel) return std::fprintf(stderr, "no kernel\n"), 1;
  constexpr int64_t kLongest = 32768;
  std::vector<float> qkv(kLongest * 3 * kHeads * kDim), out(kLongest * kHeads * kDim), state(kHeads * kDim * kDim),
      rates(kHeads);
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.3f);
  for (float &value : qkv) value = normal(random);
  for (int64_t h = 0; h < kHeads; ++h) rates[h] = std::exp2(-8.0f * static_cast<float>(h + 1) / kHeads);
  std::vector<char> scratch(scratchBytes + 64);
  void *aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;

  // The five lengths take turns, so that a slow spell of the machine touches all of them.
  const std::vector<int64_t> lengths = {1024, 2048, 4096, 8192, 16384, 32768};
  std::vector<std::vector<double>> times(lengths.size());
  for (int round = 0; round < 5; ++round)
    for (size_t i = 0; i < lengths.size(); ++i) {
      int32_t record[4] = {0, 0, static_cast<int32_t>(lengths[i]), 0};
      std::fill(state.begin(), state.end(), 0.0f);
      const void *words[7] = {qkv.data(), qkv.data(), qkv.data(), rates.data(), state.data(), out.data(), record};
      double start = seconds();
      kernel(words, 0, kHeads, aligned);
      times[i].push_back((seconds() - start) / static_cast<double>(lengths[i]));
    }
  double first = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    std::sort(times[i].begin(), times[i].end());
    double median = times[i][2];
    if (i == 0) first = median;
    double flops = kHeads * (4.0 * kBlock * kDim + 4.0 * kDim * kDim);
    std::printf("%6lld tokens  %8.3f us per token  %6.2f GFLOP/s  ratio to 1024 tokens %.3f\n",
                static_cast<long long>(lengths[i]), median * 1e6, flops / median * 1e-9, median / first);
  }
  return 0;
}

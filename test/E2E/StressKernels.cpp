#include "test/E2E/StressKernels.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Import/Import.h"
#include "passes/Pipelines/Pipelines.h"
#include "runtime/src/RandomWeights.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

#include <algorithm>
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mmc::test {

struct PipelineKernels::State {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module, selected;
  cpu::CpuObject object;
  void *library = nullptr;

  ~State() {
    if (library) dlclose(library);
  }

  bool lower(const std::string &config, int64_t maxModelLen) {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    tile::registerTileDialect(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    auto imported = import::importModel(context, config);
    EXPECT_TRUE(imported.ok()) << imported.status().text();
    if (!imported.ok()) return false;
    module = std::move(imported->module);
    PipelineOptions options;
    options.maxModelLen = maxModelLen;
    mlir::PassManager manager(&context);
    buildModelToTilePipeline(manager, options);
    return mlir::succeeded(manager.run(*module));
  }

  bool compile(const std::vector<std::string> &prefixes) {
    selected = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    module->walk([&](tile::KernelOp kernel) {
      if (std::any_of(prefixes.begin(), prefixes.end(),
                      [&](const std::string &prefix) { return kernel.getSymName().starts_with(prefix); }))
        selected->push_back(kernel->clone());
    });
    cpu::CpuOptions options;
    options.emulateAvx512 = true;
    std::string error;
    auto compiled = cpu::compileCpu(*selected, options, error);
    EXPECT_TRUE(compiled) << error;
    if (compiled) object = std::move(*compiled);
    return compiled.has_value();
  }

  bool load() {
    // The loader must see a file name that it has not seen before.
    const int file = memfd_create("kernels", 0);
    if (write(file, object.elf.data(), object.elf.size()) != ssize_t(object.elf.size())) return false;
    library =
        dlopen(("/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_TRUE(library) << dlerror();
    return library;
  }

  tile::KernelOp find(const std::string &prefix) {
    tile::KernelOp found;
    size_t count = 0;
    for (tile::KernelOp kernel : selected->getOps<tile::KernelOp>())
      if (kernel.getSymName().starts_with(prefix)) found = kernel, ++count;
    EXPECT_EQ(count, 1u) << prefix;
    return found;
  }
};

PipelineKernels::PipelineKernels(const std::string &config, int64_t maxModelLen,
                                 const std::vector<std::string> &prefixes)
    : state(std::make_unique<State>()) {
  fine = state->lower(config, maxModelLen) && state->compile(prefixes) && state->load();
  EXPECT_TRUE(fine) << config;
}

PipelineKernels::~PipelineKernels() = default;

void PipelineKernels::run(const std::string &prefix, cpu::Variant variant, const std::vector<uint64_t> &words,
                          int64_t begin, int64_t end) const {
  tile::KernelOp kernel = state->find(prefix);
  ASSERT_TRUE(kernel);
  const auto entry =
      std::find_if(state->object.kernels.begin(), state->object.kernels.end(),
                   [&](const cpu::CpuKernel &k) { return kernel.getSymName() == k.name && k.variant == variant; });
  ASSERT_NE(entry, state->object.kernels.end()) << prefix;
  using Function = void (*)(const void *, int64_t, int64_t, void *);
  const auto function = reinterpret_cast<Function>(dlsym(state->library, entry->symbol.c_str()));
  ASSERT_TRUE(function) << entry->symbol;
  const Sparse scratch(entry->scratchBytes + 64);
  function(words.data(), begin, end, scratch.floats());
}

runtime::Layout PipelineKernels::layout(const std::string &prefix, size_t argument) const {
  tile::KernelOp kernel = state->find(prefix);
  auto type = mlir::cast<tile::ViewType>(kernel.getBody().getArgument(unsigned(argument)).getType());
  auto panels = mlir::dyn_cast_or_null<tile::PanelsAttr>(type.getLayout());
  EXPECT_TRUE(panels) << prefix;
  if (!panels) return {};
  return {runtime::DType::f32, runtime::LayoutKind::panels, uint32_t(panels.getN()), uint32_t(panels.getK()),
          uint32_t(panels.getPad())};
}

Sparse::Sparse(uint64_t bytes) : bytes(bytes) {
  memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    memory = nullptr;
    ADD_FAILURE() << "cannot reserve " << bytes << " bytes of address space";
  }
}

Sparse::~Sparse() {
  if (memory) munmap(memory, bytes);
}

double rowError(const float *actual, const std::vector<double> &expected) {
  double difference = 0, largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(double(actual[i]) - expected[i]);
    if (!std::isfinite(error)) return INFINITY;
    difference = std::max(difference, error);
    largest = std::max(largest, std::abs(expected[i]));
  }
  return largest > 0 ? difference / largest : difference;
}

std::vector<float> someFloats(size_t count, uint64_t seed, float scale) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = runtime::randomWeight(runtime::mixBits(seed), i, 0, scale);
  return values;
}

} // namespace mmc::test

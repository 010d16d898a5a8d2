#include "test/Target/CUDA/EmittedModule.h"

#include "dialects/Hopper/IR/Hopper.h"
#include "lib/Target/CUDA/PrintCuda.h"
#include "passes/Pipelines/Pipelines.h"
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/ops/TensorMap.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

namespace mmc::test {

using interpreter::TileInterpreter;

/// A copy of an argument on the emulated device.
struct OnDevice {
  explicit OnDevice(const Argument &argument) {
    uint32_t number = uint32_t(argument.count);
    const void *from = argument.isCount ? static_cast<const void *>(&number) : argument.memory.data();
    bytes = argument.isCount ? sizeof number : argument.memory.size();
    data = emu::memory::allocateGlobal(std::max<size_t>(bytes, 16));
    std::memcpy(data, from, bytes);
    emu::memory::setInitialised(data, bytes, true);
  }
  ~OnDevice() { emu::memory::freeGlobal(data); }
  OnDevice(const OnDevice &) = delete;
  void *data;
  size_t bytes;
};

struct EmittedModule::State {
  State() : context(registry()), handler(&context, [this](mlir::Diagnostic &d) { errors += d.str() + "\n"; }) {}
  ~State() {
    for (auto &[name, library] : libraries) dlclose(library);
    std::filesystem::remove_all(folder);
  }
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry result;
    tile::registerTileDialect(result);
    hopper::registerHopperDialect(result);
    return result;
  }
  void emit(const std::string &variant);
  const MmcEmuKernel *load(const std::string &kernel, const std::string &variant);
  using Memory = std::vector<std::unique_ptr<OnDevice>>;
  /// One launch on copies of the arguments, which go to `memory`, and what was found.
  std::string launch(const std::string &kernel, const std::string &variant, const std::vector<Argument> &arguments,
                     const std::vector<int64_t> &extents, uint64_t seed, Memory &memory);
  void run(const std::string &kernel, const std::string &variant, const std::vector<Argument> &arguments,
           const std::vector<Argument> &expected, const std::vector<int64_t> &extents, double tolerance);

  mlir::MLIRContext context;
  std::string errors, folder;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> tile;
  std::map<std::string, std::map<std::string, cuda::PrintedKernel>> printed; // by kernel and variant, where they differ
  std::map<std::string, void *> libraries;
  unsigned mutants = 0;
};

static void initialise() {
  static const bool ready = (emu::initialiseMachine({}), true);
  ASSERT_TRUE(ready);
}

EmittedModule::EmittedModule(const std::string &text) : state(std::make_unique<State>()) {
  State &s = *state;
  s.tile = text.ends_with(".mlir")
               ? mlir::parseSourceFile<mlir::ModuleOp>(MMC_SOURCE_DIR "/test/Inputs/tile/" + text, &s.context)
               : mlir::parseSourceString<mlir::ModuleOp>(text, &s.context);
  if (!s.tile) throw std::runtime_error("cannot parse: " + s.errors);
  mlir::PassManager rounding(&s.context);
  buildRoundProductsPipeline(rounding);
  if (failed(rounding.run(*s.tile))) throw std::runtime_error(s.errors);
  for (const char *variant : {"portable", "sm_90a"}) s.emit(variant);
  char name[] = "/tmp/mmc-emitted-XXXXXX";
  if (!mkdtemp(name)) throw std::runtime_error("cannot make a temporary folder");
  s.folder = name;
}

EmittedModule::~EmittedModule() = default;

void EmittedModule::State::emit(const std::string &variant) {
  mlir::OwningOpRef<mlir::ModuleOp> converted = tile->clone();
  mlir::PassManager conversion(&context);
  buildTileToHopperPipeline(conversion, {variant, {}}); // which rounds nothing more
  if (failed(conversion.run(*converted))) throw std::runtime_error(errors);
  for (auto kernel : converted->getOps<hopper::KernelOp>()) {
    auto made = cuda::printCuda(kernel);
    if (!made) throw std::runtime_error(errors);
    auto &ofKernel = printed[kernel.getSymName().str()];
    if (ofKernel.empty() || ofKernel.begin()->second.text != made->text) ofKernel[variant] = std::move(*made);
  }
}

const std::string &EmittedModule::source(const std::string &kernel, const std::string &variant) const {
  return state->printed.at(kernel).at(variant).text;
}

const MmcEmuKernel *EmittedModule::State::load(const std::string &kernel, const std::string &variant) {
  void *&library = libraries[kernel + "__" + variant];
  if (!library) {
    const std::string base = folder + "/" + kernel + "__" + variant;
    std::ofstream(base + ".cu") << printed.at(kernel).at(variant).text;
    const std::string command =
        std::string(MMC_KERNEL_COMPILER) + " -shared " + base + ".cu -o " + base + ".so 2> " + base + ".log";
    if (std::system(command.c_str()) != 0) {
      std::ifstream log(base + ".log");
      ADD_FAILURE() << kernel << " does not compile:\n" << std::string(std::istreambuf_iterator<char>(log), {});
      return nullptr;
    }
    library = dlopen((base + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) ADD_FAILURE() << dlerror();
    if (!library) return nullptr;
  }
  return static_cast<const MmcEmuKernel *>(dlsym(library, ("mmcEmuKernel_" + kernel).c_str()));
}

struct alignas(emu::kTensorMapBytes) EncodedMap {
  uint8_t bytes[emu::kTensorMapBytes];
};

/// The map of a plan's record, for an argument's memory; its rows are those that there are, where the record has none.
static EncodedMap encode(const runtime::TensorMapRecord &record, const OnDevice &memory) {
  const std::vector<uint64_t> strides(record.strides.rbegin(), record.strides.rend());
  const std::vector<uint32_t> box(record.box.rbegin(), record.box.rend()), steps(box.size(), 1);
  std::vector<uint64_t> sizes(record.sizes.rbegin(), record.sizes.rend());
  if (!sizes.back()) sizes.back() = (memory.bytes - record.offset - record.rowBytes()) / record.strides.front() + 1;
  emu::TensorMapRequest request;
  request.element = unsigned(emu::TensorElement::bf16);
  request.rank = uint32_t(sizes.size());
  request.base = static_cast<uint8_t *>(memory.data) + record.offset;
  request.sizes = sizes.data();
  request.strides = strides.data();
  request.box = box.data();
  request.traversalStrides = steps.data();
  request.swizzle = record.swizzle == 128 ? 3 : record.swizzle / 32; // none, 32, 64, 128
  EncodedMap map;
  const emu::TensorMapResult result = emu::encodeTensorMap(&map, request);
  EXPECT_TRUE(result.ok()) << result.message;
  return map;
}

void EmittedModule::check(const std::string &kernel, const std::vector<Argument> &arguments,
                          const interpreter::TileCounts &counts, double tolerance) {
  initialise();
  auto op = state->tile->lookupSymbol<tile::KernelOp>(kernel);
  ASSERT_TRUE(op) << kernel;
  mlir::FailureOr<TileInterpreter> interpreter = TileInterpreter::create(op);
  ASSERT_TRUE(mlir::succeeded(interpreter)) << state->errors;
  std::vector<Argument> expected = arguments;
  std::vector<uint64_t> words;
  for (const Argument &argument : expected)
    words.push_back(argument.isCount ? uint64_t(argument.count) : reinterpret_cast<uint64_t>(argument.memory.data()));
  const std::vector<int64_t> extents = interpreter->extents(counts);
  ASSERT_TRUE(mlir::succeeded(interpreter->run(words, extents))) << state->errors;
  for (const auto &[variant, made] : state->printed.at(kernel)) {
    SCOPED_TRACE(variant);
    state->run(kernel, variant, arguments, expected, extents, tolerance);
  }
}

std::string EmittedModule::State::launch(const std::string &kernel, const std::string &variant,
                                         const std::vector<Argument> &arguments, const std::vector<int64_t> &extents,
                                         uint64_t seed, Memory &memory) {
  const MmcEmuKernel *record = load(kernel, variant);
  if (!record) return "no kernel";
  const cuda::PrintedKernel &made = printed.at(kernel).at(variant);
  emu::scheduler::setSeed(seed);
  emu::reports::take();
  for (const Argument &argument : arguments) memory.push_back(std::make_unique<OnDevice>(argument));
  uint32_t points = 1;
  for (auto [extent, attribute] : llvm::zip(extents, tile->lookupSymbol<tile::KernelOp>(kernel).getDomain())) {
    points *= uint32_t(extent);
    if (mlir::cast<tile::ExtentAttr>(attribute).getKind() != tile::ExtentKind::fixed)
      memory.push_back(std::make_unique<OnDevice>(count(extent)));
  }
  std::vector<void *> pointers, parameters;
  std::vector<EncodedMap> maps;
  for (auto &each : memory) pointers.push_back(each->data);
  for (const runtime::TensorMapRecord &map : made.maps) maps.push_back(encode(map, *memory[map.argument]));
  for (void *&pointer : pointers) parameters.push_back(&pointer);
  for (EncodedMap &map : maps) parameters.push_back(&map);
  EXPECT_EQ(parameters.size(), record->parameterCount);
  if (parameters.size() != record->parameterCount) return "other parameters";
  emu::LaunchOptions options;
  // More blocks than points, and two that share a distributed loop: both must be harmless.
  options.grid[0] = points + 1;
  options.grid[1] = made.text.find("blockIndexY") != std::string::npos ? 2 : 1;
  options.block[0] = record->maxThreads;
  options.dynamicSharedBytes = record->staticSharedBytes;
  const bool completed = emu::launch(*record, options, parameters.data()).completed;
  std::string findings = completed ? "" : "not completed\n";
  for (const emu::Report &report : emu::reports::take()) findings += report.text() + "\n";
  return findings;
}

void EmittedModule::State::run(const std::string &kernel, const std::string &variant,
                               const std::vector<Argument> &arguments, const std::vector<Argument> &expected,
                               const std::vector<int64_t> &extents, double tolerance) {
  for (uint64_t seed : {0, 1, 2}) {
    SCOPED_TRACE(kernel + ", seed " + std::to_string(seed));
    Memory memory;
    const std::string findings = launch(kernel, variant, arguments, extents, seed, memory);
    ASSERT_TRUE(findings.empty()) << findings;
    std::vector<Argument> actual = arguments;
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i].isCount) continue;
      std::memcpy(actual[i].memory.data(), memory[i]->data, memory[i]->bytes);
      SCOPED_TRACE("argument " + std::to_string(i));
      if (arguments[i].written)
        compare(actual[i], expected[i], tolerance);
      else
        EXPECT_EQ(std::memcmp(actual[i].memory.data(), arguments[i].memory.data(), memory[i]->bytes), 0)
            << "was changed";
    }
  }
}

std::string EmittedModule::findings(const std::string &kernel, const std::vector<Argument> &arguments,
                                    const interpreter::TileCounts &counts, const std::string &from,
                                    const std::string &to) {
  initialise();
  State &s = *state;
  const std::string variant = "mutant" + std::to_string(++s.mutants);
  cuda::PrintedKernel mutant = s.printed.at(kernel).at("sm_90a");
  EXPECT_NE(mutant.text.find(from), std::string::npos) << from << " is not in the source";
  for (size_t at = 0; (at = mutant.text.find(from, at)) != std::string::npos; at += to.size())
    mutant.text.replace(at, from.size(), to);
  s.printed.at(kernel)[variant] = std::move(mutant);
  auto op = s.tile->lookupSymbol<tile::KernelOp>(kernel);
  mlir::FailureOr<TileInterpreter> interpreter = TileInterpreter::create(op);
  std::string all;
  for (uint64_t seed : {0, 1, 2}) {
    State::Memory memory;
    all += s.launch(kernel, variant, arguments, interpreter->extents(counts), seed, memory);
  }
  s.printed.at(kernel).erase(variant);
  return all;
}

} // namespace mmc::test

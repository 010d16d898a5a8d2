#include "test/E2E/LaunchReplay.h"

#include "dialects/Tile/IR/Tile.h"
#include "lib/Interpreter/TileInterpreter.h"
#include "passes/Pipelines/Pipelines.h"
#include "runtime/src/CApi.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <utility>

using namespace mmc::runtime;
using mmc::interpreter::MemoryMap;
using mmc::interpreter::TileInterpreter;

namespace mmc::test {

namespace {

/// Memory that a launch may touch through one argument.
struct Region {
  uint64_t begin, bytes;
  bool written;
  DType dtype;
  uint64_t rowBytes; // values of a row are compared against the largest of them
  std::string name;
  std::vector<uint8_t> copy;
  size_t argument = 0; // the first word that names it
};

float valueAt(const uint8_t *memory, DType dtype) {
  uint32_t bits = 0;
  std::memcpy(&bits, memory, dtypeBytes(dtype));
  if (dtype == DType::bf16) bits <<= 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Compares the rows that differ; `actual` is what the launch wrote.
void compare(const Region &region, const uint8_t *actual, LaunchDifference &result) {
  const uint64_t step = dtypeBytes(region.dtype);
  for (uint64_t row = 0; row < region.bytes; row += region.rowBytes) {
    const uint64_t bytes = std::min(region.rowBytes, region.bytes - row);
    const uint8_t *found = actual + row, *expected = region.copy.data() + row;
    if (std::memcmp(found, expected, bytes) == 0) continue;
    if (region.dtype != DType::f32 && region.dtype != DType::bf16) {
      for (uint64_t i = 0; i < bytes; i += step) result.integers += std::memcmp(found + i, expected + i, step) != 0;
      continue;
    }
    double difference = 0, largest = 0;
    for (uint64_t i = 0; i < bytes; i += step) {
      const double a = valueAt(found + i, region.dtype), b = valueAt(expected + i, region.dtype);
      result.floats += std::memcmp(found + i, expected + i, step) != 0;
      largest = std::max(largest, std::abs(b));
      if (std::memcmp(found + i, expected + i, step) == 0) continue;
      difference = std::isfinite(a) && std::isfinite(b) ? std::max(difference, std::abs(a - b)) : INFINITY;
    }
    double &worst = region.dtype == DType::f32 ? result.float32 : result.bfloat16;
    const double relative = largest > 0 ? difference / largest : difference > 0 ? INFINITY : 0;
    if (relative > worst) {
      worst = relative;
      result.where = region.name + " at byte " + std::to_string(row);
    }
  }
}

uint64_t mix(uint64_t hash, std::span<const uint8_t> bytes) {
  for (size_t i = 0; i < bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    hash ^= hash >> 29;
  }
  return hash;
}

} // namespace

struct LaunchReplay::State {
  Session &session;
  const PlanTables &tables;
  uint32_t slots;
  Replay mode;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> kernels;
  std::vector<std::unique_ptr<TileInterpreter>> interpreters; // per kernel of the plan
  std::vector<tile::KernelOp> ops;
  std::map<std::string, LaunchDifference> differences;
  std::vector<Region> regions; // of the launch in progress
  std::vector<std::vector<uint8_t>> before;
  std::vector<LaunchPrint> prints;
  uint64_t step = 0; // that is poisoned
  std::set<uint64_t> seenPools;
  std::string watched; // a kernel, and a word of its arguments
  size_t watchedArgument = 0;
  Watcher watcher;

  State(Session &session, uint32_t slots, Replay mode)
      : session(session), tables(session.plan()), slots(slots), mode(mode) {}
  void parse(std::span<const uint8_t> text);
  Region region(const Argument &argument, const LaunchEvent &event, uint64_t pointer) const;
  std::vector<uint8_t> read(const Region &region) const;
  void poison(const LaunchEvent &event);
  void clearPages(const Argument &argument, const Region &region);
  void capture(const LaunchEvent &event);
  void replay(const LaunchEvent &event);
  void takePrint(const LaunchEvent &event);
};

void LaunchReplay::State::parse(std::span<const uint8_t> text) {
  mlir::DialectRegistry registry;
  tile::registerTileDialect(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  kernels =
      mlir::parseSourceString<mlir::ModuleOp>({reinterpret_cast<const char *>(text.data()), text.size()}, &context);
  ASSERT_TRUE(kernels) << "the plan's text cannot be parsed";
  if (tables.onDevice()) {
    mlir::PassManager manager(&context);
    buildRoundProductsPipeline(manager);
    ASSERT_TRUE(mlir::succeeded(manager.run(*kernels)));
  }
  for (const Kernel &kernel : tables.kernels) {
    tile::KernelOp found;
    kernels->walk([&](tile::KernelOp op) {
      if (op.getSymName() == kernel.name) found = op;
    });
    ASSERT_TRUE(found) << "the plan's text lacks kernel " << kernel.name;
    auto interpreter = TileInterpreter::create(found);
    ASSERT_TRUE(mlir::succeeded(interpreter)) << kernel.name;
    ASSERT_EQ(interpreter->wordCount(), kernel.parameters.size()) << kernel.name;
    interpreters.push_back(std::make_unique<TileInterpreter>(std::move(*interpreter)));
    ops.push_back(found);
  }
}

/// Bytes of a row of the memory behind each argument word: all that a view holds for one token, output or route; 0
/// where the word is no view.
static std::vector<uint64_t> rowBytesOfWords(tile::KernelOp kernel) {
  std::vector<uint64_t> rows;
  for (mlir::BlockArgument argument : kernel.getBody().front().getArguments()) {
    auto view = llvm::dyn_cast<tile::ViewType>(argument.getType());
    uint64_t bytes = view && view.getShape().size() > 1 ? view.getElementTypeBitWidth() / 8 : 0;
    for (size_t i = 1; bytes && i < view.getShape().size(); ++i)
      bytes = mlir::ShapedType::isDynamic(view.getShape()[i]) ? 0 : bytes * uint64_t(view.getShape()[i]);
    rows.push_back(bytes);
    if (view && llvm::isa_and_nonnull<tile::PagedAttr>(view.getLayout())) rows.push_back(0);
  }
  return rows;
}

Region LaunchReplay::State::region(const Argument &argument, const LaunchEvent &event, uint64_t pointer) const {
  const StepRecord &step = *event.step;
  auto make = [&](uint64_t bytes, DType dtype, const std::string &name) {
    return Region{pointer - argument.offset, bytes, argument.written, dtype, bytes ? bytes : 1, name, {}, 0};
  };
  switch (argument.kind) {
  case ArgumentKind::buffer: {
    const Buffer &buffer = tables.buffers[argument.index];
    return make(bufferBytes(buffer, *step.entry), buffer.dtype, "buffer " + buffer.name);
  }
  case ArgumentKind::weight:
    return make(tables.weights[argument.index].bytes, DType::u8, "weight");
  case ArgumentKind::constant: {
    const Constant &constant = tables.constants[argument.index];
    return make(constant.layerBytes ? constant.layerBytes : constant.bytes, constant.dtype,
                "constant " + constant.name);
  }
  case ArgumentKind::pool: {
    const Pool &pool = tables.pools[argument.index];
    const uint64_t units = pool.kind == PoolKind::slots ? slots : uint64_t(slots) * tables.pagesPerSequence;
    Region region = make(units * pool.unitBytes, pool.dtype, "pool " + pool.name);
    region.rowBytes = pool.kind == PoolKind::pages
                          ? pool.unitBytes
                          : pool.shape.back() * dtypeBytes(pool.dtype); // state: a key's values
    return region;
  }
  case ArgumentKind::pageTable:
    return make(uint64_t(slots) * tables.pagesPerSequence * 4, DType::i32, "page table");
  case ArgumentKind::tokenIds:
  case ArgumentKind::rowPositions:
  case ArgumentKind::rowSlots:
    return make(step.tokens * 4, DType::i32, argumentKindName(argument.kind));
  case ArgumentKind::outputRows:
    return make(step.outputs * 4, DType::i32, "output rows");
  case ArgumentKind::workList:
    return make(step.workLists[argument.index].count * sizeof(WorkRecord), DType::i32, "work list");
  case ArgumentKind::logits:
    return make(step.outputs * tables.vocabulary * 4, DType::f32, "logits");
  default:
    return make(0, DType::u8, "");
  }
}

/// The region's memory as it is now, wherever it lies.
std::vector<uint8_t> LaunchReplay::State::read(const Region &region) const {
  std::vector<uint8_t> bytes(region.bytes);
  const Status status = session.readMemory(region.begin, bytes);
  EXPECT_TRUE(status.ok()) << region.name << ": " << status.text();
  return bytes;
}

/// At the beginning of a step: not-a-number in every temporary, so that what is read before it is written shows, and
/// what is never written is the same in every run.
void LaunchReplay::State::poison(const LaunchEvent &event) {
  if (std::exchange(step, event.step->number) == event.step->number) return;
  const EntryPoint &entry = *event.step->entry;
  for (size_t i = 0; i < event.launch->arguments.size(); ++i) {
    const Argument &argument = event.launch->arguments[i];
    if (argument.kind != ArgumentKind::buffer) continue;
    const uint64_t arena = event.arguments[i] - argument.offset - entry.offsets[argument.index];
    const Status status = session.writeMemory(arena, std::vector<uint8_t>(entry.arenaBytes, 0xff));
    EXPECT_TRUE(status.ok()) << status.text();
    return;
  }
  ADD_FAILURE() << "the first launch of a step has no buffer";
}

/// A session clears pages when it takes them. Those that nobody has taken are cleared when a launch first sees the
/// pool, before anything was written there, and are then the same in every run.
void LaunchReplay::State::clearPages(const Argument &argument, const Region &region) {
  if (argument.kind != ArgumentKind::pool || tables.pools[argument.index].kind != PoolKind::pages) return;
  if (!seenPools.insert(region.begin).second) return;
  const Status status = session.writeMemory(region.begin, std::vector<uint8_t>(region.bytes));
  EXPECT_TRUE(status.ok()) << status.text();
}

/// Before a launch: copies of all that it may read or write. Memory that no launch writes is shared.
void LaunchReplay::State::capture(const LaunchEvent &event) {
  regions.clear();
  before.clear();
  const std::vector<uint64_t> rows =
      mode == Replay::interpret ? rowBytesOfWords(ops[event.kernel]) : std::vector<uint64_t>();
  for (size_t i = 0; i < event.launch->arguments.size(); ++i) {
    Region next = region(event.launch->arguments[i], event, event.arguments[i]);
    if (!next.bytes) continue;
    if (event.launch->arguments[i].kind != ArgumentKind::pool && i < rows.size() && rows[i]) next.rowBytes = rows[i];
    auto known = std::find_if(regions.begin(), regions.end(), [&](const Region &other) {
      return other.begin == next.begin && other.bytes == next.bytes;
    });
    if (known != regions.end()) {
      known->written |= next.written;
      continue;
    }
    next.argument = i;
    clearPages(event.launch->arguments[i], next);
    if (mode == Replay::interpret) next.copy = read(next);
    regions.push_back(std::move(next));
  }
  if (mode == Replay::print) return;
  for (const Region &region : regions) before.push_back(region.written ? region.copy : std::vector<uint8_t>());
}

/// After it: the interpreter works on the copies, which are then compared with what the launch left.
void LaunchReplay::State::replay(const LaunchEvent &event) {
  const std::string &name = tables.kernels[event.kernel].name;
  MemoryMap memory;
  for (Region &region : regions)
    memory.add(reinterpret_cast<const void *>(region.begin), region.bytes, region.copy.data());
  const std::vector<int64_t> extents(event.domain.begin(), event.domain.end());
  LaunchDifference &result = differences[name];
  ++result.launches;
  if (mlir::failed(interpreters[event.kernel]->run(event.arguments, extents, &memory))) {
    ADD_FAILURE() << name << ": the interpreter failed";
    return;
  }
  for (size_t i = 0; i < regions.size(); ++i) {
    const std::vector<uint8_t> actual = read(regions[i]);
    if (regions[i].written) {
      compare(regions[i], actual.data(), result);
      for (uint64_t byte = 0; byte < regions[i].bytes; ++byte) result.written += actual[byte] != before[i][byte];
    } else {
      EXPECT_EQ(actual, regions[i].copy) << name << " changed " << regions[i].name << ", which it only reads";
    }
  }
}

void LaunchReplay::State::takePrint(const LaunchEvent &event) {
  LaunchPrint print{tables.kernels[event.kernel].name, event.points};
  for (const Region &region : regions) {
    if (!region.written) continue;
    const std::vector<uint8_t> bytes = read(region);
    print.hash = mix(print.hash, bytes);
    if (watcher && region.argument == watchedArgument && print.kernel.starts_with(watched))
      watcher({reinterpret_cast<const int32_t *>(bytes.data()), bytes.size() / 4});
  }
  prints.push_back(std::move(print));
}

LaunchReplay::LaunchReplay(mmc_session *session, std::span<const uint8_t> plan, uint32_t slots, Replay mode)
    : state(std::make_unique<State>(*session->session, slots, mode)) {
  if (mode == Replay::interpret) {
    auto image = PlanImage::copy(plan);
    EXPECT_TRUE(image.ok()) << image.status().text();
    if (!image.ok()) return;
    state->parse(image->bytes(SegmentKind::text));
    if (state->ops.size() != state->tables.kernels.size()) return;
  }
  session->session->setObserver([state = state.get()](const LaunchEvent &event) {
    if (event.before) return state->poison(event), state->capture(event);
    if (state->mode == Replay::interpret) state->replay(event);
    state->takePrint(event);
  });
}

LaunchReplay::~LaunchReplay() { state->session.setObserver({}); }

const std::map<std::string, LaunchDifference> &LaunchReplay::differences() const { return state->differences; }

const std::vector<LaunchPrint> &LaunchReplay::prints() const { return state->prints; }

void LaunchReplay::watch(const std::string &kernel, size_t argument, Watcher watcher) {
  state->watched = kernel;
  state->watchedArgument = argument;
  state->watcher = std::move(watcher);
}

std::vector<std::string> LaunchReplay::unused() const {
  std::vector<std::string> names;
  for (const Kernel &kernel : state->tables.kernels)
    if (!state->differences.contains(kernel.name)) names.push_back(kernel.name);
  return names;
}

void expectLockstep(const LaunchReplay &replay, double float32) {
  for (const auto &[kernel, difference] : replay.differences()) {
    SCOPED_TRACE(kernel + ": " + difference.where);
    // A router reads rows that its own kernel rounded: where float32 and float64 round one of them apart, scores
    // differ.
    const bool rounds = kernel.starts_with("rms_norm_route") && kernel.ends_with("bf16");
    EXPECT_LE(difference.float32, rounds ? 1e-2 : float32);
    EXPECT_LE(difference.bfloat16, 1e-2);
    EXPECT_EQ(difference.integers, 0u);
    EXPECT_GT(difference.written, 0u) << "the launches changed no byte";
    const bool moves =
        kernel.find("norm") == std::string::npos && (kernel.starts_with("permute") || kernel.starts_with("embedding") ||
                                                     kernel.starts_with("gather") || kernel.starts_with("select_rows"));
    if (moves) EXPECT_EQ(difference.floats, 0u) << "pure data movement is exact";
  }
}

} // namespace mmc::test

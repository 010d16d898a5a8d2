// Lays weights out as kernels read them: slices of checkpoint tensors, concatenated on dimension 0, converted, then
// permuted into one mapping.
//
// What is laid out where is the plan's data (Weight, Layout); there is no code per kernel. The order of the instances
// of a weight is that of its layers, and inside an instance that of its experts. The result does not depend on the
// number of threads.
#pragma once

#include "runtime/src/Digest.h"
#include "runtime/src/Mapping.h"
#include "runtime/src/PlanTables.h"
#include "runtime/src/Safetensors.h"
#include "runtime/src/TensorNames.h"
#include "runtime/src/ThreadPool.h"

#include <functional>

namespace mmc::runtime {

/// Bytes [begin, end) of all weights, one after the other: whole instances of one or more.
struct WeightWindow {
  uint64_t begin = 0, end = 0;
};
/// Windows that follow each other, of at most `bytes` where an instance is not larger.
std::vector<WeightWindow> weightWindows(const PlanTables &plan, uint64_t bytes);

/// The memory of all weights of a plan, or of a window of them. Movable; immutable once filled.
class WeightStore {
public:
  /// Zeroed memory, with huge pages where the kernel gives them. `reserved` takes address space only: for tests of very
  /// large weights.
  static Expected<WeightStore> create(const PlanTables &plan, Mapping::Kind kind = Mapping::Kind::committed);
  static Expected<WeightStore> createWindow(const PlanTables &plan, const WeightWindow &window,
                                            Mapping::Kind kind = Mapping::Kind::committed);
  /// Knows where weights lie, and has no memory for them.
  static WeightStore placesOnly(const PlanTables &plan);

  /// The tensor of one layer (by its place in Weight.layers) and expert; 64-byte aligned. In the window.
  uint8_t *expert(const PlanTables &plan, size_t weight, uint64_t instance, uint64_t expert) const;
  bool holds(const PlanTables &plan, size_t weight, uint64_t instance) const;
  /// The first instance of a weight, where the store has them all.
  uint8_t *base(size_t weight) const { return memory.data() + offsets[weight]; }
  /// Where that is in the memory of all weights.
  uint64_t offset(size_t weight) const { return offsets[weight]; }
  std::span<const uint8_t> bytes() const { return {memory.data(), memory.size()}; }
  uint64_t size() const { return memory.size(); }

private:
  Mapping memory;
  uint64_t first = 0;            // of the window
  std::vector<uint64_t> offsets; // per weight
};

/// Called from the thread that loads, now and then and at the end, with bytes laid out and in total; false stops the
/// load.
using ProgressFunction = std::function<bool(uint64_t done, uint64_t total)>;

/// One tensor of one weight: what a unit of loading fills.
struct WeightPart {
  size_t weight;
  uint64_t instance, expert;
};

/// Where rows come from: a checkpoint, or the random generator. Used by several threads at once.
class RowSource {
public:
  virtual ~RowSource() = default;
  /// Checks that the tensor exists with the plan's shape and a dtype that converts.
  virtual Status check(const WeightSource &source, const std::string &name) = 0;
  /// Checks that there is no tensor that `used`, called with its name, denies.
  virtual Status checkOthers(const std::function<bool(std::string_view)> &used) = 0;
  /// Rows [first, first + count) of a checkpoint tensor before slicing, as they lie in the file, in `type`. `rows` is
  /// resized to fit.
  virtual Status read(const Weight &weight, const WeightSource &source, const std::string &name, uint64_t first,
                      uint64_t count, std::vector<uint8_t> &rows, DType &type) = 0;
};
std::unique_ptr<RowSource> checkpointRows(const Checkpoint &checkpoint);
std::unique_ptr<RowSource> randomRows(uint64_t seed);

/// Checks that the source has every tensor of the plan, as the plan needs it, and no other: returns how many.
Expected<size_t> checkSources(const PlanTables &plan, RowSource &source);
/// Fills the whole store from a source that was checked. On failure the store's content is undefined.
Status fillTensors(const PlanTables &plan, RowSource &source, const WeightStore &store, ThreadPool &pool,
                   const ProgressFunction &progress);
/// Checks the source before it does so.
Status fillWeights(const PlanTables &plan, RowSource &source, const WeightStore &store, ThreadPool &pool,
                   const ProgressFunction &progress);
/// Memory that one thread uses again for every range of rows: fresh megabytes for each would cost more than the
/// copying.
struct RowBuffers {
  std::vector<uint8_t> whole, cut, rows;
};
/// Fills rows [first, first + count) of one part; `first` and `count` are multiples of panel_n, or reach the last row.
Status fillRows(const PlanTables &plan, RowSource &source, const WeightStore &store, const WeightPart &part,
                uint64_t first, uint64_t count, RowBuffers &buffers);

/// Ids whose row of the embedding table is all zero, ascending.
std::vector<int32_t> zeroEmbeddingRows(const PlanTables &plan, const WeightStore &store);
/// A digest over samples of every tensor: tells checkpoints of one model apart at little cost. Windows are added in
/// their order.
class WeightsFingerprint {
public:
  void add(const PlanTables &plan, const WeightStore &store);
  Digest finish() { return stream.finish(); }

private:
  DigestStream stream;
};

} // namespace mmc::runtime

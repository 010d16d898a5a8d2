// Fills the weight store. The unit of work is a range of rows of one tensor, read, sliced, converted and permuted by
// one thread; ranges begin at panel borders, so no two threads write the same panel. Padding is never written: the
// store starts as zeros.
#include "runtime/src/WeightLoader.h"

#include "runtime/src/Convert.h"
#include "runtime/src/Errors.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <unordered_set>

namespace mmc::runtime {

namespace {

/// Bytes of a unit of work, about.
constexpr uint64_t kUnitBytes = uint64_t(1) << 20;

uint64_t productFrom1(std::span<const uint64_t> shape) {
  uint64_t product = 1;
  for (size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

/// Range of a dimension that a source takes.
std::pair<uint64_t, uint64_t> rangeOf(const WeightSource &source, size_t dimension) {
  for (const DimensionSlice &slice : source.slices)
    if (slice.dimension == dimension) return {slice.begin, slice.end};
  return {0, source.shape[dimension]};
}

/// Cuts the slices of dimensions 1 and up out of whole rows, in place order.
void cutColumns(const WeightSource &source, uint64_t elementBytes, uint64_t count, const std::vector<uint8_t> &whole,
                std::vector<uint8_t> &cut) {
  const size_t rank = source.shape.size();
  const auto [innerBegin, innerEnd] = rangeOf(source, rank - 1);
  const uint64_t run = (innerEnd - innerBegin) * elementBytes, rowElements = productFrom1(source.shape);
  cut.clear();
  std::vector<uint64_t> coordinates(rank);
  for (uint64_t row = 0; row < count; ++row) {
    for (size_t i = 1; i + 1 < rank; ++i) coordinates[i] = rangeOf(source, i).first;
    for (;;) {
      uint64_t index = 0;
      for (size_t i = 1; i + 1 < rank; ++i) index = (index + coordinates[i]) * source.shape[i + 1];
      const uint8_t *from = whole.data() + (row * rowElements + index + innerBegin) * elementBytes;
      cut.insert(cut.end(), from, from + run);
      size_t i = rank - 1;
      while (--i >= 1 && ++coordinates[i] == rangeOf(source, i).second) coordinates[i] = rangeOf(source, i).first;
      if (i == 0) break;
    }
  }
}

/// Copies `count` rows, `stride` bytes apart, to their places in the panels that start with row `first`. A block of a
/// panel takes kBlock bytes of each row (0: a number that is only known at run time): blocks follow each other, and in
/// a block the rows.
template <uint64_t kBlock>
void scatterPanels(const Layout &layout, uint64_t columns, uint64_t first, uint64_t count, const uint8_t *rows,
                   uint64_t stride, uint8_t *to) {
  const uint64_t elementBytes = dtypeBytes(layout.dtype), rowBytes = columns * elementBytes;
  const uint64_t block = kBlock ? kBlock : layout.panelK * elementBytes, wholeBytes = rowBytes / block * block;
  for (uint64_t panel = 0; panel < count; panel += layout.panelN) {
    const uint64_t height = std::min<uint64_t>(layout.panelN, count - panel);
    uint8_t *out = to + panelIndex(layout, columns, first + panel, 0) * elementBytes;
    const uint8_t *in = rows + panel * stride;
    for (uint64_t at = 0; at < wholeBytes; at += block, out += layout.panelN * block)
      for (uint64_t n = 0; n < height; ++n) std::memcpy(out + n * block, in + n * stride + at, kBlock ? kBlock : block);
    for (uint64_t n = 0; n < height && wholeBytes < rowBytes; ++n)
      std::memcpy(out + n * block, in + n * stride + wholeBytes, rowBytes - wholeBytes);
  }
}

/// Rows [first, first + count) of a tensor in the layout's dtype, `stride` bytes apart.
Status gatherRows(const PlanTables &plan, RowSource &source, const WeightPart &part, uint64_t first, uint64_t count,
                  uint64_t stride, RowBuffers &buffers) {
  const Weight &weight = plan.weights[part.weight];
  const uint64_t width = productFrom1(weight.shape);
  auto &[whole, cut, rows] = buffers;
  uint64_t begin = 0; // first row of the current source in the concatenation
  for (const WeightSource &from : weight.sources) {
    const auto [sliceBegin, sliceEnd] = rangeOf(from, 0);
    const uint64_t end = begin + (sliceEnd - sliceBegin);
    const uint64_t low = std::max(first, begin), high = std::min(first + count, end);
    if (low < high) {
      DType type;
      MMC_RETURN_IF_ERROR(source.read(weight, from, plan.tensorName(weight, from, part.instance, part.expert),
                                      sliceBegin + (low - begin), high - low, whole, type));
      const bool sliced = productFrom1(from.shape) != width;
      if (sliced) cutColumns(from, dtypeBytes(type), high - low, whole, cut);
      const std::vector<uint8_t> &dense = sliced ? cut : whole;
      for (uint64_t row = low; row < high; ++row)
        convertElements(type, dense.data() + (row - low) * width * dtypeBytes(type), weight.layout.dtype,
                        rows.data() + (row - first) * stride, width);
    }
    begin = end;
  }
  return {};
}

struct Unit {
  WeightPart part;
  uint64_t first, count;
};

std::vector<Unit> makeUnits(const PlanTables &plan, const WeightStore &store) {
  std::vector<Unit> units;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const Weight &weight = plan.weights[i];
    const uint64_t step = weight.layout.kind == LayoutKind::panels ? weight.layout.panelN : 1;
    const uint64_t rowBytes = std::max<uint64_t>(1, productFrom1(weight.shape) * dtypeBytes(weight.layout.dtype));
    const uint64_t rows = roundUp(std::max<uint64_t>(1, kUnitBytes / rowBytes), step);
    for (uint64_t instance = 0; instance < weight.instances(); ++instance)
      for (uint64_t expert = 0; store.holds(plan, i, instance) && expert < weight.expertCount(); ++expert)
        for (uint64_t row = 0; row < weight.shape[0]; row += rows)
          units.push_back({{i, instance, expert}, row, std::min(rows, weight.shape[0] - row)});
  }
  return units;
}

} // namespace

Expected<size_t> checkSources(const PlanTables &plan, RowSource &source) {
  std::unordered_set<std::string> used;
  size_t checked = 0;
  for (const Weight &weight : plan.weights)
    for (uint64_t instance = 0; instance < weight.instances(); ++instance)
      for (uint64_t expert = 0; expert < weight.expertCount(); ++expert)
        for (const WeightSource &from : weight.sources) {
          std::string name = plan.tensorName(weight, from, instance, expert);
          MMC_RETURN_IF_ERROR(source.check(from, name));
          used.insert(std::move(name));
          ++checked;
        }
  for (std::string_view derived : kDerivedTensors)
    for (uint64_t layer = 0; layer < plan.layerCount; ++layer) used.insert(expandName(std::string(derived), layer, 0));
  MMC_RETURN_IF_ERROR(source.checkOthers([&](std::string_view name) { return used.count(std::string(name)) != 0; }));
  return checked;
}

Status fillRows(const PlanTables &plan, RowSource &source, const WeightStore &store, const WeightPart &part,
                uint64_t first, uint64_t count, RowBuffers &buffers) {
  const Weight &weight = plan.weights[part.weight];
  const uint64_t width = productFrom1(weight.shape), elementBytes = dtypeBytes(weight.layout.dtype);
  // A cache line more than a row: with rows a power of two apart, reading down a column would hit one cache set.
  const uint64_t stride = roundUp(width * elementBytes, kAlignment) + kAlignment;
  buffers.rows.resize(count * stride);
  MMC_RETURN_IF_ERROR(gatherRows(plan, source, part, first, count, stride, buffers));
  const uint8_t *rows = buffers.rows.data();
  uint8_t *to = store.expert(plan, part.weight, part.instance, part.expert);
  if (weight.layout.kind == LayoutKind::rowMajor) {
    for (uint64_t row = 0; row < count; ++row)
      std::memcpy(to + (first + row) * width * elementBytes, rows + row * stride, width * elementBytes);
    return {};
  }
  switch (weight.layout.panelK * elementBytes) {
  case 2:
    scatterPanels<2>(weight.layout, width, first, count, rows, stride, to);
    break;
  case 4:
    scatterPanels<4>(weight.layout, width, first, count, rows, stride, to);
    break;
  case 8:
    scatterPanels<8>(weight.layout, width, first, count, rows, stride, to);
    break;
  default:
    scatterPanels<0>(weight.layout, width, first, count, rows, stride, to);
    break;
  }
  return {};
}

Status fillWeights(const PlanTables &plan, RowSource &source, const WeightStore &store, ThreadPool &pool,
                   const ProgressFunction &progress) {
  MMC_RETURN_IF_ERROR(checkSources(plan, source).status());
  return fillTensors(plan, source, store, pool, progress);
}

Status fillTensors(const PlanTables &plan, RowSource &source, const WeightStore &store, ThreadPool &pool,
                   const ProgressFunction &progress) {
  const std::vector<Unit> units = makeUnits(plan, store);
  uint64_t total = 0;
  for (const Unit &unit : units)
    total += unit.count * productFrom1(plan.weights[unit.part.weight].shape) *
             dtypeBytes(plan.weights[unit.part.weight].layout.dtype);
  std::atomic<size_t> next = 0;
  std::atomic<uint64_t> done = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  Status failure;
  auto fail = [&](Status status) {
    std::lock_guard lock(mutex);
    if (failure.ok()) failure = std::move(status);
    stop = true;
  };
  auto report = [&] {
    if (progress && !stop && !progress(done, total)) fail(Status(kLoadCancelled, "loading the weights was cancelled"));
  };
  auto lastReport = std::chrono::steady_clock::now();
  pool.run([&](uint32_t worker) {
    // Threads of the pool have nobody above them to catch what memory allocation throws.
    try {
      RowBuffers buffers;
      for (size_t i; !stop && (i = next++) < units.size();) {
        const Unit &unit = units[i];
        if (Status status = fillRows(plan, source, store, unit.part, unit.first, unit.count, buffers); !status.ok())
          return fail(std::move(status));
        const Weight &weight = plan.weights[unit.part.weight];
        done += unit.count * productFrom1(weight.shape) * dtypeBytes(weight.layout.dtype);
        const auto now = std::chrono::steady_clock::now();
        if (worker != 0 || now - lastReport < std::chrono::milliseconds(50)) continue;
        lastReport = now;
        report();
      }
    } catch (const std::bad_alloc &) {
      fail(Status(kMemoryExhausted, "memory ran out while laying out weights"));
    }
  });
  report();
  return failure;
}

} // namespace mmc::runtime

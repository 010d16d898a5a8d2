#include "passes/Conversion/TileToPlan/EntryPoints.h"

#include "lib/Analysis/ArenaLayout.h"

#include "mlir/IR/Builders.h"

#include <algorithm>

using namespace mlir;

namespace mmc {

/// Do two buffers hold values at the same time? The stream (body, position 0) is live throughout the body; layer kinds
/// never run at the same time, and the head runs after the body.
static bool overlap(const Lifetime &a, const Lifetime &b, int stackPosition) {
  auto during = [](const Lifetime &x, const Lifetime &y) { return x.begin <= y.end && y.begin <= x.end; };
  if (a.program == b.program) return during(a, b);
  if (a.program > b.program) return overlap(b, a, stackPosition);
  // a.program < b.program: kHead < kBody < layers.
  if (a.program == kHead) return b.program == kBody && b.end == kForever;
  if (a.program == kBody) return a.begin <= stackPosition && stackPosition <= a.end;
  return false; // two layer kinds
}

static Interference conflicts(planir::ModuleOp plan, ArrayRef<std::pair<planir::BufferOp, Lifetime>> buffers) {
  auto body = cast<planir::ProgramOp>(plan.lookupSymbol("body"));
  int stack = 0;
  for (Operation &op : body.getBody().front()) {
    if (isa<planir::StackOp>(op)) break;
    ++stack;
  }
  Interference result(buffers.size());
  for (unsigned i = 0; i < buffers.size(); ++i)
    for (unsigned j = 0; j < i; ++j) {
      planir::BufferOp a = buffers[i].first, b = buffers[j].first;
      // NOTE: the stream lives from the first layer's input to the last launch of the head that may read it.
      bool stream = a.getSymName() == "stream" || b.getSymName() == "stream";
      if (stream || overlap(buffers[i].second, buffers[j].second, stack)) result.add(i, j);
    }
  return result;
}

uint32_t headRows(uint32_t tokens, uint32_t sequences) { return std::min(tokens, std::max<uint32_t>(sequences, 64)); }

uint64_t bytesOf(planir::BufferOp buffer, uint64_t tokens, uint64_t sequences, uint64_t outputs) {
  auto type = cast<RankedTensorType>(buffer.getType());
  uint64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size)) bytes *= static_cast<uint64_t>(size);
  if (!buffer.getRows()) return bytes;
  uint64_t rows = *buffer.getRows() == "outputs" ? outputs : *buffer.getRows() == "sequences" ? sequences : tokens;
  return bytes * static_cast<uint64_t>(buffer.getRowsPer()) * rows;
}

static SmallVector<uint32_t> powersUpTo(uint32_t limit) {
  SmallVector<uint32_t> result;
  for (uint64_t value = 1; value < limit; value *= 2) result.push_back(static_cast<uint32_t>(value));
  result.push_back(limit);
  return result;
}

LogicalResult addEntryPoints(planir::ModuleOp plan, ArrayRef<std::pair<planir::BufferOp, Lifetime>> buffers,
                             const PlanOptions &options) {
  OpBuilder builder = OpBuilder::atBlockEnd(&plan.getBody().front());
  Interference interference = conflicts(plan, buffers);
  for (uint32_t tokens : powersUpTo(options.maxNumBatchedTokens))
    for (uint32_t sequences : powersUpTo(options.maxNumSeqs)) {
      if (sequences > tokens) break;
      uint32_t outputs = headRows(tokens, sequences);
      std::vector<uint64_t> sizes;
      for (auto &[buffer, lifetime] : buffers) sizes.push_back(bytesOf(buffer, tokens, sequences, outputs));
      ArenaLayout arena = layOutArena(sizes, interference);
      SmallVector<int64_t> offsets(arena.offsets.begin(), arena.offsets.end());
      planir::EntryOp::create(builder, plan.getLoc(), tokens, sequences, static_cast<int64_t>(options.maxModelLen),
                              outputs, static_cast<int64_t>(arena.bytes), offsets);
    }
  return success();
}

} // namespace mmc

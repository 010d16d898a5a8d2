// Lays out step records.
#include "runtime/src/StepRecord.h"

#include <algorithm>

namespace mmc::runtime {

StepLayout StepLayout::of(const PlanTables &plan, const EntryPoint &entry) {
  StepLayout layout;
  auto take = [&](uint64_t count, uint64_t size) {
    const uint64_t at = layout.bytes;
    layout.bytes = roundUp(at + count * size, kAlignment);
    return at;
  };
  const uint64_t tokens = std::min(entry.tokens, plan.maxNumBatchedTokens), sequences = entry.sequences;
  layout.tokenIds = take(tokens, sizeof(int32_t));
  layout.rowPositions = take(tokens, sizeof(int32_t));
  layout.rowSlots = take(tokens, sizeof(int32_t));
  layout.outputRows = take(tokens, sizeof(int32_t));
  // A list has at most one record per token, and per sequence one that is not a whole tile.
  for (const WorkList &list : plan.workLists) {
    const uint64_t whole = list.tileRows ? tokens / list.tileRows : 0;
    layout.workLists.push_back(take(std::min(tokens, sequences + whole), sizeof(WorkRecord)));
  }
  layout.counts = take(2 + plan.workLists.size() + ceilDivide(tokens, entry.outputs), sizeof(uint32_t));
  return layout;
}

uint64_t extentOf(const Extent &extent, const StepRecord &step) {
  switch (extent.kind) {
  case ExtentKind::fixed:
    return extent.value;
  case ExtentKind::tokens:
    return step.tokens;
  case ExtentKind::outputs:
    return step.outputs;
  case ExtentKind::sequences:
    return step.sequences;
  case ExtentKind::work:
    return step.workLists[extent.value].count;
  }
  return 0;
}

std::optional<uint64_t> countOf(const Argument &argument, const StepRecord &step) {
  switch (argument.kind) {
  case ArgumentKind::tokenCount:
    return step.tokens;
  case ArgumentKind::outputCount:
    return step.outputs;
  case ArgumentKind::sequenceCount:
    return step.sequences;
  case ArgumentKind::workCount:
    return step.workLists[argument.index].count;
  case ArgumentKind::immediate:
    return argument.offset;
  default:
    return std::nullopt;
  }
}

} // namespace mmc::runtime

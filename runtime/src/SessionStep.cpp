// One step: check, fill the record, run the body, then the head over the rows whose logits are wanted.
#include "runtime/src/Errors.h"
#include "runtime/src/Session.h"

#include <algorithm>
#include <cstring>

namespace mmc::runtime {

static std::string entryText(size_t index) { return "step entry " + std::to_string(index); }

Status Session::checkEntry(const StepEntry &entry, size_t index) {
  const std::string_view why = [&]() -> std::string_view {
    if (!entry.sequence) return "has no sequence";
    if (entry.sequence->session != this) return "has a sequence of another session";
    if (!entry.sequence->live) return "has a sequence that was freed";
    if (entry.count == 0) return "has no tokens, expected at least 1";
    if (!entry.tokens) return "has a null pointer for its tokens";
    if (uint32_t(entry.logits) > uint32_t(Logits::all)) return "asks for an unknown kind of logits";
    if (entry.sequence->lastStep == stepNumber) return "names a sequence that an earlier entry names";
    return {};
  }();
  if (!why.empty()) return Status(kStepArgument, entryText(index) + " " + std::string(why));
  if (entry.sequence->broken)
    return Status(kSequenceBroken,
                  entryText(index) + " has a sequence that a step broke when it was cancelled or failed");
  entry.sequence->lastStep = stepNumber;
  const uint64_t room = plan().maxModelLen - entry.sequence->position;
  if (entry.count > room)
    return Status(kContextFull, entryText(index) + " takes its sequence to " +
                                    std::to_string(entry.sequence->position) + " + " + std::to_string(entry.count) +
                                    " tokens, expected at most max_model_len = " + std::to_string(plan().maxModelLen));
  return {};
}

Status Session::checkStep(std::span<const StepEntry> entries, uint64_t &tokens, uint64_t &context) {
  const PlanTables &plan = this->plan();
  if (entries.empty()) return Status(kStepArgument, "the step has no entries, expected at least 1");
  if (entries.size() > plan.maxNumSeqs)
    return Status(kStepTooLarge, "the step has " + std::to_string(entries.size()) +
                                     " entries, expected at most max_num_seqs = " + std::to_string(plan.maxNumSeqs));
  ++stepNumber;
  uint64_t needed = 0;
  tokens = context = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const StepEntry &entry = entries[i];
    MMC_RETURN_IF_ERROR(checkEntry(entry, i));
    tokens += entry.count;
    if (tokens > plan.maxNumBatchedTokens)
      return Status(kStepTooLarge, "the step has more than max_num_batched_tokens = " +
                                       std::to_string(plan.maxNumBatchedTokens) + " tokens with " + entryText(i));
    const int32_t *bad = std::find_if(entry.tokens, entry.tokens + entry.count,
                                      [&](int32_t id) { return id < 0 || uint32_t(id) >= plan.vocabulary; });
    if (bad != entry.tokens + entry.count)
      return Status(kTokenId, entryText(i) + " has token id " + std::to_string(*bad) + " at " +
                                  std::to_string(bad - entry.tokens) + ", expected 0 to " +
                                  std::to_string(plan.vocabulary - 1));
    const uint64_t end = entry.sequence->position + entry.count;
    context = std::max(context, end);
    needed += pagesFor(end) - entry.sequence->pages;
  }
  if (needed > pages.freePages())
    return Status(kPagesExhausted, "the step needs " + std::to_string(needed) + " more KV pages, but " +
                                       std::to_string(pages.freePages()) + " are free");
  return {};
}

Status Session::step(std::span<const StepEntry> entries) {
  uint64_t tokens, context;
  MMC_RETURN_IF_ERROR(backend->ready());
  MMC_RETURN_IF_ERROR(checkStep(entries, tokens, context));
  if (cancelled.exchange(false)) return Status(kStepCancelled, "the step was cancelled before it began");
  // The classes ascend, so the first that fits is the smallest; verification made sure that the largest step fits one.
  const std::vector<EntryPoint> &classes = plan().entryPoints;
  record.entry = &*std::find_if(classes.begin(), classes.end(), [&](const EntryPoint &entry) {
    return entry.tokens >= tokens && entry.sequences >= entries.size() && entry.context >= context;
  });
  record.layout = &layouts[size_t(record.entry - classes.data())];
  record.number = stepNumber;
  record.tokens = tokens;
  record.sequences = entries.size();
  placeRecord();
  Status status = fillRecord(entries);
  if (status.ok()) status = execute();
  if (!status.ok()) {
    cancelled = false;
    outputEnds.clear();
    for (const StepEntry &entry : entries) entry.sequence->broken = true;
    return status;
  }
  for (const StepEntry &entry : entries) entry.sequence->position += entry.count;
  return {};
}

/// Points the record's arrays to their places for its entry point.
void Session::placeRecord() {
  uint8_t *memory = backend->recordMemory();
  const StepLayout &layout = *record.layout;
  record.tokenIds = reinterpret_cast<int32_t *>(memory + layout.tokenIds);
  record.rowPositions = reinterpret_cast<int32_t *>(memory + layout.rowPositions);
  record.rowSlots = reinterpret_cast<int32_t *>(memory + layout.rowSlots);
  outputRows = reinterpret_cast<int32_t *>(memory + layout.outputRows);
  for (size_t i = 0; i < record.workLists.size(); ++i)
    record.workLists[i].records = reinterpret_cast<WorkRecord *>(memory + layout.workLists[i]);
}

Status Session::fillRecord(std::span<const StepEntry> entries) {
  uint64_t row = 0, outputs = 0;
  outputEnds.clear();
  for (const StepEntry &entry : entries) {
    Sequence &sequence = *entry.sequence;
    const uint64_t had = std::exchange(sequence.pages, pagesFor(sequence.position + entry.count));
    pages.takePages(sequence.slot, had, sequence.pages);
    sequence.dirty = true;
    if (had != sequence.pages) MMC_RETURN_IF_ERROR(backend->updatePages(sequence.slot, had, sequence.pages));
    std::memcpy(record.tokenIds + row, entry.tokens, entry.count * sizeof(int32_t));
    for (size_t i = 0; i < entry.count; ++i) {
      record.rowPositions[row + i] = int32_t(sequence.position + i);
      record.rowSlots[row + i] = int32_t(sequence.slot);
      if (entry.logits == Logits::all || (entry.logits == Logits::last && i + 1 == entry.count))
        outputRows[outputs++] = int32_t(row + i);
    }
    row += entry.count;
    outputEnds.push_back(outputs);
  }
  record.totalOutputs = outputs;
  for (size_t i = 0; i < record.workLists.size(); ++i) fillWorkList(plan().workLists[i], record.workLists[i], entries);
  return {};
}

void Session::fillWorkList(const WorkList &list, StepRecord::List &to, std::span<const StepEntry> entries) {
  to.count = 0;
  int32_t first = 0;
  for (const StepEntry &entry : entries) {
    const int32_t rows = int32_t(entry.count);
    const bool decode = rows == 1;
    if (list.filter == WorkFilter::all || decode == (list.filter == WorkFilter::decode)) {
      const int32_t tile = list.tileRows ? int32_t(list.tileRows) : rows;
      for (int32_t at = 0; at < rows; at += tile)
        to.records[to.count++] = {int32_t(entry.sequence->slot), first + at, std::min(tile, rows - at),
                                  int32_t(entry.sequence->position) + at};
    }
    first += rows;
  }
}

Status Session::execute() {
  float *const own = backend->logitsMemory(record.totalOutputs);
  stepLogits = own ? own : reinterpret_cast<float *>(logitsMemory.data());
  Status status = backend->beginStep(record);
  if (status.ok()) status = backend->runBody(record, cancelled);
  const uint64_t chunk = record.entry->outputs;
  for (record.run = 0; status.ok() && record.run * chunk < record.totalOutputs; ++record.run) {
    const uint64_t begin = record.run * chunk;
    record.outputs = std::min(chunk, record.totalOutputs - begin);
    record.outputRows = outputRows + begin;
    record.logits = stepLogits + begin * plan().vocabulary;
    status = backend->runHead(record, cancelled);
  }
  const Status ended = backend->endStep(record);
  return status.ok() ? ended : status;
}

} // namespace mmc::runtime

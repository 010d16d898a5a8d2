// Makes sessions and sequences. Invariant: a slot is in freeSlots exactly when its sequence is not live.
#include "runtime/src/Session.h"

#include "runtime/cuda/session/DeviceBackend.h"
#include "runtime/src/Errors.h"
#include "runtime/src/HostBackend.h"

#include <algorithm>

namespace mmc::runtime {

Expected<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model, const SessionOptions &options) {
  std::unique_ptr<Session> session(new Session);
  session->shared = std::move(model);
  MMC_RETURN_IF_ERROR(session->reserve(options));
  return session;
}

Status Session::reserve(const SessionOptions &options) {
  const PlanTables &plan = this->plan();
  const uint32_t slots = options.maxSequences ? options.maxSequences : plan.maxNumSeqs;
  constexpr uint32_t kMostSlots = 1u << 20;
  if (slots > kMostSlots)
    return Status(kBadArgument,
                  "max_sequences is " + std::to_string(slots) + ", expected at most " + std::to_string(kMostSlots),
                  "ask for fewer sequences");
  const uint64_t mostPages = uint64_t(slots) * plan.pagesPerSequence;
  BackendShape shape{slots, std::min<uint64_t>(options.maxPages ? options.maxPages : mostPages, 0x7fffffff), 0};
  record.workLists.resize(plan.workLists.size());
  for (const EntryPoint &entry : plan.entryPoints) {
    layouts.push_back(StepLayout::of(plan, entry));
    shape.recordBytes = std::max(shape.recordBytes, layouts.back().bytes);
  }
  if (!plan.pageTokens) shape.pages = 0;
  if (shared->device && !options.maxPages) {
    const Expected<uint64_t> fitting = cuda::DeviceBackend::pagesThatFit(*shared, shape);
    if (!fitting.ok()) return fitting.status();
    shape.pages = *fitting;
  }
  Expected<PageTable> table = PageTable::create(plan, slots, shape.pages);
  if (!table.ok()) return table.status();
  pages = std::move(*table);
  Expected<Mapping> logitsBuffer = reserveArray(plan.maxNumBatchedTokens, plan.vocabulary * sizeof(float), "logits");
  if (!logitsBuffer.ok()) return logitsBuffer.status();
  logitsMemory = std::move(*logitsBuffer);
  outputEnds.reserve(plan.maxNumSeqs);

  sequences.resize(slots);
  freeSlots.reserve(slots);
  for (uint32_t slot = slots; slot-- > 0;) {
    sequences[slot].session = this;
    sequences[slot].slot = slot;
    freeSlots.push_back(slot);
  }

  return makeBackend(options, shape);
}

Status Session::makeBackend(const SessionOptions &options, const BackendShape &shape) {
  auto take = [&](Expected<std::unique_ptr<Backend>> made) {
    if (made.ok()) backend = std::move(*made);
    return made.status();
  };
  if (shared->device) return take(cuda::DeviceBackend::create(shared, pages, shape, {options.cudaSync, options.cudaGraphs}));
  std::unique_ptr<ThreadPool> threads;
  if (options.parallelFor) {
    threads = ThreadPool::wrap(options.threads, options.parallelFor, options.parallelUser);
  } else {
    Expected<std::unique_ptr<ThreadPool>> own = ThreadPool::create(options.threads);
    if (!own.ok()) return own.status();
    threads = std::move(*own);
  }
  return take(HostBackend::create(shared, pages, shape, std::move(threads)));
}

Expected<Sequence *> Session::createSequence() {
  if (freeSlots.empty())
    return Status(kSequencesExhausted,
                  "all " + std::to_string(sequences.size()) + " sequences of the session are in use");
  MMC_RETURN_IF_ERROR(backend->ready());
  Sequence &sequence = sequences[freeSlots.back()];
  if (sequence.dirty) MMC_RETURN_IF_ERROR(backend->clearSlot(sequence.slot));
  freeSlots.pop_back();
  sequence.live = true;
  sequence.broken = sequence.dirty = false;
  sequence.position = 0;
  return &sequence;
}

void Session::destroySequence(Sequence *sequence) {
  pages.returnPages(sequence->slot, sequence->pages);
  sequence->pages = 0;
  sequence->live = false;
  freeSlots.push_back(sequence->slot);
}

uint64_t Session::pagesFor(uint64_t position) const {
  return plan().pageTokens ? ceilDivide(position, plan().pageTokens) : 0;
}

Expected<std::span<const float>> Session::logits(size_t entry) const {
  if (entry >= outputEnds.size())
    return Status(kStepArgument, "entry is " + std::to_string(entry) + ", but the last step had " +
                                     std::to_string(outputEnds.size()) + " entries");
  const uint64_t begin = entry ? outputEnds[entry - 1] : 0, vocabulary = plan().vocabulary;
  return std::span<const float>(stepLogits + begin * vocabulary, (outputEnds[entry] - begin) * vocabulary);
}

} // namespace mmc::runtime

// Makes sessions and sequences. Invariant: a slot is in freeSlots exactly when its sequence is not live.
#include "runtime/src/Session.h"

#include "runtime/src/Errors.h"

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
  const uint64_t pages = std::min<uint64_t>(options.maxPages ? options.maxPages : mostPages, 0x7fffffff);
  Expected<Pools> made = Pools::create(plan, slots, plan.pageTokens ? pages : 0);
  if (!made.ok()) return made.status();
  pools = std::move(*made);

  Expected<Mapping> arenaMemory = Mapping::create(plan.arenaBytes(), Mapping::Kind::reserved, "temporaries of a step");
  if (!arenaMemory.ok()) return arenaMemory.status();
  arena = std::move(*arenaMemory);
  arena.adviseHugePages();
  const uint64_t tokens = plan.maxNumBatchedTokens;
  Expected<Mapping> logitsBuffer =
      Mapping::create(tokens * plan.vocabulary * sizeof(float), Mapping::Kind::reserved, "logits");
  if (!logitsBuffer.ok()) return logitsBuffer.status();
  logitsMemory = std::move(*logitsBuffer);

  // The record's arrays, one after the other, each for the largest step. A list has at most one record per token, and
  // per sequence one that is not a whole tile.
  const uint64_t row = roundUp(tokens * sizeof(int32_t), kAlignment),
                 list = roundUp(tokens * sizeof(WorkRecord), kAlignment);
  Expected<Mapping> recordMemory =
      Mapping::create(4 * row + plan.workLists.size() * list, Mapping::Kind::reserved, "the step record");
  if (!recordMemory.ok()) return recordMemory.status();
  arrays = std::move(*recordMemory);
  auto rows = [&](uint64_t i) { return reinterpret_cast<int32_t *>(arrays.data() + i * row); };
  record.tokenIds = rows(0);
  record.rowPositions = rows(1);
  record.rowSlots = rows(2);
  outputRows = rows(3);
  for (size_t i = 0; i < plan.workLists.size(); ++i)
    record.workLists.push_back({reinterpret_cast<WorkRecord *>(arrays.data() + 4 * row + i * list), 0});
  outputEnds.reserve(plan.maxNumSeqs);

  sequences.resize(slots);
  freeSlots.reserve(slots);
  for (uint32_t slot = slots; slot-- > 0;) {
    sequences[slot].session = this;
    sequences[slot].slot = slot;
    freeSlots.push_back(slot);
  }

  std::unique_ptr<ThreadPool> threads;
  if (options.parallelFor) {
    threads = ThreadPool::wrap(options.threads, options.parallelFor, options.parallelUser);
  } else {
    Expected<std::unique_ptr<ThreadPool>> own = ThreadPool::create(options.threads);
    if (!own.ok()) return own.status();
    threads = std::move(*own);
  }
  Expected<std::unique_ptr<Executor>> made2 = Executor::create(shared, pools, arena.data(), std::move(threads));
  if (!made2.ok()) return made2.status();
  executor = std::move(*made2);
  return {};
}

Expected<Sequence *> Session::createSequence() {
  if (freeSlots.empty())
    return Status(kSequencesExhausted,
                  "all " + std::to_string(sequences.size()) + " sequences of the session are in use");
  Sequence &sequence = sequences[freeSlots.back()];
  freeSlots.pop_back();
  if (sequence.dirty) pools.clearSlot(plan(), sequence.slot);
  sequence.live = true;
  sequence.broken = sequence.dirty = false;
  sequence.position = 0;
  return &sequence;
}

void Session::destroySequence(Sequence *sequence) {
  pools.returnPages(sequence->slot, sequence->pages);
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
  return std::span<const float>(reinterpret_cast<const float *>(logitsMemory.data()) + begin * vocabulary,
                                (outputEnds[entry] - begin) * vocabulary);
}

} // namespace mmc::runtime

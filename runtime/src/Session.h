// A session: sequences, the memory they live in, and the steps that advance them.
//
// One thread at a time, except cancel(). Sequences are slots: a Sequence keeps its address and its slot number for its
// life. A step checks all of its arguments before it changes anything; after the checks it cannot fail on the host,
// only be cancelled. After the first steps nothing is allocated: every array was reserved for the largest step when the
// session was made.
#pragma once

#include "runtime/src/Backend.h"
#include "runtime/src/Model.h"

namespace mmc::runtime {

struct SessionOptions {
  uint32_t threads = 0;      // 0: one per core
  uint32_t maxSequences = 0; // 0: the plan's max_num_seqs
  uint64_t maxPages = 0;     // 0: enough for all sequences at full length, as far as a device has room
  ParallelFor parallelFor = nullptr;
  void *parallelUser = nullptr;
  bool cudaSync = false;  // on a device: wait after each launch, so that an error names its launch
  bool cudaGraphs = true; // on a device: capture small steps and replay them
};

class Session;

/// One sequence of a session. Read-only to everybody but the session.
struct Sequence {
  Session *session = nullptr;
  uint32_t slot = 0;
  bool live = false;
  bool broken = false;   // a step that was cancelled or failed left its state half advanced
  bool dirty = false;    // the slot's state may be other than zero
  uint64_t position = 0; // tokens seen
  uint64_t pages = 0;    // pages held
  uint64_t lastStep = 0; // number of the step that last named it: finds sequences named twice
};

enum class Logits : uint32_t { none = 0, last = 1, all = 2 };

struct StepEntry {
  Sequence *sequence;
  const int32_t *tokens;
  size_t count;
  Logits logits;
};

class Session {
public:
  static Expected<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model, const SessionOptions &options);

  const Model &model() const { return *shared; }
  const PlanTables &plan() const { return shared->tables(); }

  /// A new sequence at position 0 with zero state; owned by the session, valid until destroySequence.
  Expected<Sequence *> createSequence();
  void destroySequence(Sequence *sequence);

  /// Advances the entries' sequences. Errors are those of mmc_session_step.
  Status step(std::span<const StepEntry> entries);
  /// Logits of entry `entry` of the last successful step: rows of plan().vocabulary floats; valid until the next step.
  Expected<std::span<const float>> logits(size_t entry) const;
  /// Any thread: stops the running step, or else the next one.
  void cancel() { cancelled.store(true, std::memory_order_relaxed); }

  /// Snapshots. Sizes in bytes; formats in docs/PlanFormat.md.
  uint64_t snapshotBytes(const Sequence &sequence) const;
  Status snapshot(const Sequence &sequence, const std::function<Status(std::span<const uint8_t>)> &write) const;
  /// `read` fills its argument with the next bytes of a snapshot of `size` bytes.
  Expected<Sequence *> restore(uint64_t size, const std::function<Status(std::span<uint8_t>)> &read);

  /// Called around every launch; empty: nobody. For tests and measurement.
  void setObserver(LaunchObserver observer) { backend->observer = std::move(observer); }
  /// Memory at an address that an observer was told, as launches so far have left it; writing it is for tests.
  Status readMemory(uint64_t address, std::span<uint8_t> to) const { return backend->readMemory(address, to); }
  Status writeMemory(uint64_t address, std::span<const uint8_t> from) { return backend->writeMemory(address, from); }
  uint32_t workers() const { return backend->workers(); }
  const PageTable &memory() const { return pages; }

private:
  Session() = default;
  Status reserve(const SessionOptions &options);
  Status makeBackend(const SessionOptions &options, const BackendShape &shape);
  Status checkStep(std::span<const StepEntry> entries, uint64_t &tokens, uint64_t &context);
  Status checkEntry(const StepEntry &entry, size_t index);
  Status fillRecord(std::span<const StepEntry> entries);
  void placeRecord();
  void fillWorkList(const WorkList &list, StepRecord::List &to, std::span<const StepEntry> entries);
  uint64_t pagesFor(uint64_t position) const;
  Status execute();
  uint64_t payloadBytes(uint64_t position) const;
  template <typename Function> Status forEachUnit(const Sequence &sequence, Function function) const;

  std::shared_ptr<const Model> shared;
  PageTable pages;
  Mapping logitsMemory;        // of the longest step
  float *stepLogits = nullptr; // of the last one: there, or the backend's
  std::unique_ptr<Backend> backend;
  std::vector<Sequence> sequences; // per slot; never resized after creation
  std::vector<uint32_t> freeSlots;
  std::vector<StepLayout> layouts; // per entry point
  StepRecord record;
  int32_t *outputRows = nullptr;    // of the step, over all runs of the head
  std::vector<uint64_t> outputEnds; // per entry of the last step: rows of logits up to and including it
  uint64_t stepNumber = 0;
  std::atomic<bool> cancelled{false};
};

} // namespace mmc::runtime

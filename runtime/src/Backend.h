// Where a session's memory lies and what runs its launches: the host's processors (HostBackend.h), or a CUDA device
// (runtime/cuda/session). The session keeps the books: slots, pages, positions, the record of a step.
//
// One thread at a time. What is wrong with arguments the session has found before; a backend fails only where a device
// does. After the first steps nothing is allocated, unless something fails.
#pragma once

#include "runtime/src/PageTable.h"
#include "runtime/src/StepRecord.h"

#include <atomic>

namespace mmc::runtime {

/// What a backend makes room for.
struct BackendShape {
  uint32_t slots = 0;
  uint64_t pages = 0;
  uint64_t recordBytes = 0; // of the largest record
};

/// One unit of a pool: a slot's or a page's memory in one layer.
struct PoolUnit {
  size_t pool;
  uint64_t layer, unit;
};

class Backend {
public:
  virtual ~Backend() = default;

  /// Fails, always the same way, once the device can be used no more.
  virtual Status ready() const { return {}; }

  /// Memory of the host for a step's record; the session writes it before beginStep, nobody until endStep.
  virtual uint8_t *recordMemory() = 0;
  /// Entries [begin, end) of a slot's row of the page table are others from now on.
  virtual Status updatePages(uint32_t slot, uint64_t begin, uint64_t end) { return {}; }
  /// Memory for so many rows of logits of the next step that needs no further copy of them, until the step after it;
  /// null where there is none.
  virtual float *logitsMemory(uint64_t rows) { return nullptr; }
  /// A step: the body, then the head for each run, whose logits are at step.logits after endStep. They fail with
  /// kStepCancelled when `cancelled` became true; launches after that did not run. endStep is called also after a
  /// failure.
  virtual Status beginStep(const StepRecord &step) { return {}; }
  virtual Status runBody(const StepRecord &step, const std::atomic<bool> &cancelled) = 0;
  virtual Status runHead(const StepRecord &step, const std::atomic<bool> &cancelled) = 0;
  virtual Status endStep(const StepRecord &step) { return {}; }

  /// Zeroes a slot in every state pool.
  virtual Status clearSlot(uint32_t slot) = 0;
  /// The bytes of a unit, until the next call.
  virtual Expected<std::span<const uint8_t>> readUnit(const PoolUnit &unit) = 0;
  /// Memory for new bytes of a unit, and what puts them in place once they are written.
  virtual std::span<uint8_t> openUnit(const PoolUnit &unit) = 0;
  virtual Status storeUnit(const PoolUnit &unit) { return {}; }

  /// Memory at an address that an observer was told. For tests.
  virtual Status readMemory(uint64_t address, std::span<uint8_t> to) = 0;
  virtual Status writeMemory(uint64_t address, std::span<const uint8_t> from) = 0;

  virtual uint32_t workers() const { return 1; }

  LaunchObserver observer;
};

} // namespace mmc::runtime

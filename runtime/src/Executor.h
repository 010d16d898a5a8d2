// Runs the commands of a plan's programs on a step's record: forms each launch's argument words, splits its work domain
// over the threads.
//
// Points of a domain are independent, so which thread takes which never changes a result. Nothing is allocated while
// running.
#pragma once

#include "runtime/src/Model.h"
#include "runtime/src/Pools.h"

#include <functional>

namespace mmc::runtime {

/// What kernels can be given in one step, besides weights, constants and pools. Plain pointers into memory of the
/// session.
struct StepRecord {
  const EntryPoint *entry = nullptr;
  uint64_t tokens = 0, sequences = 0, outputs = 0; // true counts; outputs: of this run of the head
  int32_t *tokenIds = nullptr, *rowPositions = nullptr, *rowSlots = nullptr;
  const int32_t *outputRows = nullptr;
  float *logits = nullptr;
  struct List {
    WorkRecord *records;
    uint64_t count;
  };
  std::vector<List> workLists; // per Plan.work_lists; sized once
};

/// What an observer is told, once before and once after each launch that has points. Valid during the call.
struct LaunchEvent {
  bool before;
  uint32_t kernel; // index in PlanTables::kernels
  int32_t layer;   // -1 in body and head
  bool inHead;
  const Launch *launch;
  std::span<const uint64_t> arguments; // the words that the kernel gets
  std::span<const uint64_t> domain;    // extents
  uint64_t points;
  const StepRecord *step;
};
using LaunchObserver = std::function<void(const LaunchEvent &)>;

class Executor {
public:
  /// `pools` and `arena` are owned by the session and keep their addresses.
  static Expected<std::unique_ptr<Executor>> create(std::shared_ptr<const Model> model, const Pools &pools,
                                                    uint8_t *arena, std::unique_ptr<ThreadPool> threads);

  /// Runs the body, or the head on step.outputRows. False when `cancelled` became true; launches after that did not
  /// run.
  bool runBody(const StepRecord &step, const std::atomic<bool> &cancelled);
  bool runHead(const StepRecord &step, const std::atomic<bool> &cancelled);

  LaunchObserver observer;
  uint32_t workers() const { return threads->workers(); }

private:
  Executor() = default;
  bool runCommands(const Program &program, const StepRecord &step, int32_t layer, bool inHead,
                   const std::atomic<bool> &cancelled);
  void runLaunch(const Launch &launch, const StepRecord &step, int32_t layer, bool inHead);
  uint64_t word(const Argument &argument, const StepRecord &step, int32_t layer) const;
  void runPoints(KernelFunction function, const uint64_t *arguments, uint64_t points, uint64_t grain);

  std::shared_ptr<const Model> model;
  const Pools *pools = nullptr;
  uint8_t *arena = nullptr;
  std::unique_ptr<ThreadPool> threads;
  Mapping scratch;
  uint64_t scratchStride = 0;
  alignas(64) std::atomic<uint64_t> nextPoint{0};
};

} // namespace mmc::runtime

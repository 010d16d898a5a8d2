// The record of a step: what kernels are told of it, and where its arrays lie in memory.
//
// The arrays of an entry point have fixed places in the record, so its part that a step uses is small when the step is,
// and a device's copy has the same layout as the host's.
#pragma once

#include "runtime/src/PlanTables.h"

#include <functional>
#include <optional>

namespace mmc::runtime {

/// Offsets from the record's start, for the largest step of one entry point.
struct StepLayout {
  uint64_t tokenIds = 0, rowPositions = 0, rowSlots = 0, outputRows = 0;
  std::vector<uint64_t> workLists; // per Plan.work_lists
  /// uint32, for devices: tokens, sequences, a count per work list, then the outputs of each run of the head.
  uint64_t counts = 0;
  uint64_t bytes = 0; // in all

  static StepLayout of(const PlanTables &plan, const EntryPoint &entry);
};

/// What kernels can be given in one step, besides weights, constants and pools. Pointers into the host's record.
struct StepRecord {
  const EntryPoint *entry = nullptr;
  const StepLayout *layout = nullptr;
  uint64_t number = 0;                             // steps of the session, counted from 1
  uint64_t tokens = 0, sequences = 0, outputs = 0; // true counts; outputs: of this run of the head
  uint64_t totalOutputs = 0, run = 0;              // outputs of all runs of the head, and which run this is
  int32_t *tokenIds = nullptr, *rowPositions = nullptr, *rowSlots = nullptr;
  const int32_t *outputRows = nullptr; // of this run
  float *logits = nullptr;             // of this run, on the host
  struct List {
    WorkRecord *records;
    uint64_t count;
  };
  std::vector<List> workLists; // per Plan.work_lists; sized once
};

/// An extent's number of points in a step.
uint64_t extentOf(const Extent &extent, const StepRecord &step);

/// The number that an argument word stands for; nothing where it is an address.
std::optional<uint64_t> countOf(const Argument &argument, const StepRecord &step);

/// What an observer is told, once before and once after each launch that has points. Valid during the call.
struct LaunchEvent {
  bool before;
  uint32_t kernel; // index in PlanTables::kernels
  int32_t layer;   // -1 in body and head
  bool inHead;
  const Launch *launch;
  /// The argument words as the plan means them: addresses where the kernel runs, and counts as numbers, also where the
  /// kernel gets addresses of counts.
  std::span<const uint64_t> arguments;
  std::span<const uint64_t> domain; // extents
  uint64_t points;
  const StepRecord *step;
};
using LaunchObserver = std::function<void(const LaunchEvent &)>;

} // namespace mmc::runtime

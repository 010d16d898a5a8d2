// A session's memory on a CUDA device, and the launches of its steps: each by itself, or for small steps all of a
// program as one graph that was captured for the step's shape class. They run one after the other in one stream, but
// for those that the plan puts on branches of their own (DeviceBranches.cpp).
//
// A step's record is one block of page-locked memory with a twin on the device, copied at the beginning of the step; so
// are the entries of the page table that have changed. Kernels read the true counts there: launches of a shape class
// differ in their grids only. Logits come back to page-locked memory, by a copy that the
// host waits for when it needs the bytes: at the end of the step, or before the copy of the next run of the head.
#pragma once

#include "runtime/cuda/session/DeviceGraph.h"
#include "runtime/cuda/session/DeviceModel.h"
#include "runtime/cuda/session/LaunchMaps.h"
#include "runtime/src/Backend.h"
#include "runtime/src/Model.h"

namespace mmc::cuda {

struct DeviceOptions {
  bool synchronous = false; // wait after each launch, so that an error names its launch; nothing is captured then
  bool graphs = true;       // capture and replay small steps
};

/// Steps of shape classes up to so many tokens are captured: beyond, the launches' own cost does not count.
inline constexpr uint32_t kMostCapturedTokens = 256;

class DeviceBackend final : public runtime::Backend {
public:
  /// `model` has a DeviceModel. `table` is owned by the session and keeps its address.
  static Expected<std::unique_ptr<runtime::Backend>> create(std::shared_ptr<const runtime::Model> model,
                                                            const runtime::PageTable &table,
                                                            const runtime::BackendShape &shape,
                                                            const DeviceOptions &options);
  ~DeviceBackend() override;

  /// Of shape.pages pages as many as nine tenths of the device's free memory hold beside the rest, but at least 1.
  static Expected<uint64_t> pagesThatFit(const runtime::Model &model, const runtime::BackendShape &shape);

  Status ready() const override { return device->ready(); }
  uint8_t *recordMemory() override { return hostRecord.data(); }
  Status updatePages(uint32_t slot, uint64_t begin, uint64_t end) override;
  float *logitsMemory(uint64_t rows) override;
  Status beginStep(const runtime::StepRecord &step) override;
  Status runBody(const runtime::StepRecord &step, const std::atomic<bool> &cancelled) override;
  Status runHead(const runtime::StepRecord &step, const std::atomic<bool> &cancelled) override;
  Status endStep(const runtime::StepRecord &step) override;
  Status clearSlot(uint32_t slot) override;
  Expected<std::span<const uint8_t>> readUnit(const runtime::PoolUnit &unit) override;
  std::span<uint8_t> openUnit(const runtime::PoolUnit &unit) override;
  Status storeUnit(const runtime::PoolUnit &unit) override;
  Status readMemory(uint64_t address, std::span<uint8_t> to) override;
  Status writeMemory(uint64_t address, std::span<const uint8_t> from) override;

private:
  DeviceBackend() = default;
  Status reserve(const runtime::BackendShape &shape);
  Status reservePools(const runtime::BackendShape &shape);
  Status clearPages(uint64_t end);
  const runtime::PlanTables &plan() const { return model->tables(); }
  Status wait(const std::string &doing);
  Status takeLogits(const runtime::StepRecord &step);

  /// A place in a program, for messages and words.
  struct Place {
    const runtime::Program &program;
    int32_t layer;
    bool inHead;
  };
  Status runCommands(const Place &place, const runtime::StepRecord &step, const std::atomic<bool> &cancelled);
  // DeviceGraph.cpp
  bool isCaptured(const runtime::StepRecord &step) const;
  Status replay(const Place &place, const runtime::StepRecord &step, const std::atomic<bool> &cancelled);
  Status runLaunch(const runtime::Launch &launch, const Place &place, const runtime::StepRecord &step, Stream in);
  // DeviceMaps.cpp
  Status encodeMaps();
  Status encodeMaps(const Place &place, const runtime::EntryPoint &entry);
  Status encodeMaps(const runtime::Launch &launch, const Place &place, const runtime::EntryPoint &entry);
  std::string describe(const runtime::Launch &launch, const Place &place) const;
  std::string describe(const runtime::Launch &launch, const Place &place, const runtime::StepRecord &step) const {
    return describe(launch, place) + " in step " + std::to_string(step.number);
  }
  // DeviceBranches.cpp
  Status runNeighbours(std::span<const runtime::Command> commands, const Place &place, const runtime::StepRecord &step);
  Status orderAfter(Stream later, Stream earlier, const OwnedEvent &event, const Place &place,
                    const runtime::StepRecord &step);
  LaunchConfig configure(const LoadedFunction &loaded, uint64_t points, const runtime::StepRecord &step,
                         Stream in) const;
  DevicePointer pointer(const runtime::Argument &argument, const runtime::StepRecord &step, int32_t layer) const;
  DevicePointer pointer(const runtime::Argument &argument, const runtime::EntryPoint &entry, int32_t layer) const;
  DevicePointer countOf(const runtime::Extent &extent, const runtime::StepRecord &step) const;

  struct PoolMemory {
    DeviceMemory memory;
    uint64_t layerBytes = 0, unitBytes = 0; // layer i begins i * layerBytes after the start
  };
  DevicePointer addressOf(const runtime::PoolUnit &unit) const {
    const PoolMemory &pool = pools[unit.pool];
    return pool.memory.address() + unit.layer * pool.layerBytes + unit.unit * pool.unitBytes;
  }

  std::shared_ptr<const runtime::Model> model;
  std::shared_ptr<DeviceContext> device;
  const runtime::PageTable *table = nullptr;
  DeviceOptions options;
  std::vector<PoolMemory> pools; // per Plan.pools
  uint64_t clearedPages = 0;     // pages from here on were never taken, and nothing was written there
  DeviceMemory pageTable, arena, record;
  DeviceMemory logits; // of one run of the head
  LaunchMaps maps;
  PinnedMemory hostRecord, unitMemory;
  PinnedMemory hostLogits; // of one run of the head
  OwnedEvent copied;       // recorded behind the copy to hostLogits
  /// Logits in hostLogits, or on their way there, that belong elsewhere.
  struct {
    float *to = nullptr;
    uint64_t bytes = 0;
  } owed;
  OwnedStream stream;
  OwnedStream side;           // of the second branch, between a fork and a join
  OwnedEvent forked, joining; // recorded in the one stream, waited for in the other
  bool sideRuns = false;      // work was put into the side stream that the other does not wait for
  /// Of the body, by the kinds of sequences that a step has, and of the first run of the head.
  struct StepGraphs {
    OwnedGraph body[4], head;
  };
  std::vector<StepGraphs> graphs; // per entry point, made when a step first needs them
};

} // namespace mmc::cuda

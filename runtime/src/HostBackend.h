// Runs the commands of a plan's programs on the host: forms each launch's argument words, splits its work domain over
// the threads.
//
// Points of a domain are independent, so which thread takes which never changes a result. Memory is reserved, not
// taken: pages that were never used cost nothing.
#pragma once

#include "runtime/src/Backend.h"
#include "runtime/src/Model.h"

namespace mmc::runtime {

class HostBackend final : public Backend {
public:
  /// `table` is owned by the session and keeps its address.
  static Expected<std::unique_ptr<Backend>> create(std::shared_ptr<const Model> model, const PageTable &table,
                                                   const BackendShape &shape, std::unique_ptr<ThreadPool> threads);

  uint8_t *recordMemory() override { return record.data(); }
  Status runBody(const StepRecord &step, const std::atomic<bool> &cancelled) override;
  Status runHead(const StepRecord &step, const std::atomic<bool> &cancelled) override;
  Status clearSlot(uint32_t slot) override;
  Expected<std::span<const uint8_t>> readUnit(const PoolUnit &unit) override {
    return std::span<const uint8_t>(bytesOf(unit));
  }
  std::span<uint8_t> openUnit(const PoolUnit &unit) override { return bytesOf(unit); }
  Status readMemory(uint64_t address, std::span<uint8_t> to) override;
  Status writeMemory(uint64_t address, std::span<const uint8_t> from) override;
  uint32_t workers() const override { return threads->workers(); }

private:
  HostBackend() = default;
  Status reserve(const BackendShape &shape);
  bool runCommands(const Program &program, const StepRecord &step, int32_t layer, bool inHead,
                   const std::atomic<bool> &cancelled);
  void runLaunch(const Launch &launch, const StepRecord &step, int32_t layer, bool inHead);
  uint64_t word(const Argument &argument, const StepRecord &step, int32_t layer) const;
  void runPoints(KernelFunction function, const uint64_t *arguments, uint64_t points, uint64_t grain);

  struct PoolMemory {
    Mapping memory;
    uint64_t layerBytes, unitBytes; // layer i begins i * layerBytes after the start
  };
  std::span<uint8_t> bytesOf(const PoolUnit &unit) const {
    const PoolMemory &pool = pools[unit.pool];
    return {pool.memory.data() + unit.layer * pool.layerBytes + unit.unit * pool.unitBytes, pool.unitBytes};
  }

  std::shared_ptr<const Model> model;
  const PageTable *table = nullptr;
  std::vector<PoolMemory> pools; // per Plan.pools
  Mapping arena, record, scratch;
  uint64_t scratchStride = 0;
  std::unique_ptr<ThreadPool> threads;
  alignas(64) std::atomic<uint64_t> nextPoint{0};
};

} // namespace mmc::runtime

// Implements execution on the host. Every index was checked when the plan was decoded; nothing is checked here.
#include "runtime/src/HostBackend.h"

#include "runtime/src/Errors.h"

#include <cstring>

namespace mmc::runtime {

Expected<std::unique_ptr<Backend>> HostBackend::create(std::shared_ptr<const Model> model, const PageTable &table,
                                                       const BackendShape &shape, std::unique_ptr<ThreadPool> threads) {
  std::unique_ptr<HostBackend> backend(new HostBackend);
  backend->model = std::move(model);
  backend->table = &table;
  backend->threads = std::move(threads);
  MMC_RETURN_IF_ERROR(backend->reserve(shape));
  return std::unique_ptr<Backend>(std::move(backend));
}

Status HostBackend::reserve(const BackendShape &shape) {
  const PlanTables &plan = model->tables();
  auto take = [](Mapping &to, Expected<Mapping> made) {
    if (made.ok()) to = std::move(*made);
    return made.status();
  };
  for (const Pool &pool : plan.pools) {
    const uint64_t units = pool.kind == PoolKind::slots ? shape.slots : shape.pages;
    PoolMemory made{{}, units * pool.unitBytes, pool.unitBytes};
    MMC_RETURN_IF_ERROR(
        take(made.memory, reserveArray(units, pool.unitBytes * pool.layers, "pool '" + pool.name + "'")));
    pools.push_back(std::move(made));
  }
  MMC_RETURN_IF_ERROR(take(arena, reserveArray(plan.arenaBytes(), 1, "temporaries of a step")));
  arena.adviseHugePages();
  MMC_RETURN_IF_ERROR(take(record, reserveArray(shape.recordBytes, 1, "the step record")));
  // Page multiples: threads share neither cache lines nor pages of scratch.
  scratchStride = roundUp(model->plan->scratchBytes, 4096);
  return take(scratch, reserveArray(scratchStride, threads->workers(), "scratch of the threads"));
}

Status HostBackend::clearSlot(uint32_t slot) {
  const PlanTables &plan = model->tables();
  for (size_t i = 0; i < plan.pools.size(); ++i)
    for (uint64_t layer = 0; plan.pools[i].kind == PoolKind::slots && layer < plan.pools[i].layers; ++layer) {
      const std::span<uint8_t> bytes = bytesOf({i, layer, slot});
      std::memset(bytes.data(), 0, bytes.size());
    }
  return {};
}

Status HostBackend::readMemory(uint64_t address, std::span<uint8_t> to) {
  std::memcpy(to.data(), reinterpret_cast<const void *>(address), to.size());
  return {};
}

Status HostBackend::writeMemory(uint64_t address, std::span<const uint8_t> from) {
  std::memcpy(reinterpret_cast<void *>(address), from.data(), from.size());
  return {};
}

static Status cancelledStep() { return Status(kStepCancelled, "the step was cancelled"); }

Status HostBackend::runBody(const StepRecord &step, const std::atomic<bool> &cancelled) {
  return runCommands(model->tables().body, step, -1, false, cancelled) ? Status() : cancelledStep();
}

Status HostBackend::runHead(const StepRecord &step, const std::atomic<bool> &cancelled) {
  return runCommands(model->tables().head, step, -1, true, cancelled) ? Status() : cancelledStep();
}

bool HostBackend::runCommands(const Program &program, const StepRecord &step, int32_t layer, bool inHead,
                              const std::atomic<bool> &cancelled) {
  const PlanTables &plan = model->tables();
  for (const Command &command : program.commands) {
    if (cancelled.load(std::memory_order_relaxed)) return false;
    if (!command.isStack) {
      runLaunch(command.launch, step, layer, inHead);
      continue;
    }
    for (uint32_t i = 0; i < plan.stack.size(); ++i)
      if (!runCommands(plan.layerKinds[plan.stack[i]], step, int32_t(i), inHead, cancelled)) return false;
  }
  return true;
}

void HostBackend::runLaunch(const Launch &launch, const StepRecord &step, int32_t layer, bool inHead) {
  uint64_t domain[kMaxDomainRank], points = 1;
  for (size_t i = 0; i < launch.domain.size(); ++i) {
    domain[i] = extentOf(launch.domain[i], step);
    points *= domain[i];
  }
  if (!points) return;
  alignas(64) uint64_t arguments[kMaxArguments];
  for (size_t i = 0; i < launch.arguments.size(); ++i) arguments[i] = word(launch.arguments[i], step, layer);
  LaunchEvent event{true,
                    launch.kernel,
                    layer,
                    inHead,
                    &launch,
                    {arguments, launch.arguments.size()},
                    {domain, launch.domain.size()},
                    points,
                    &step};
  if (observer) observer(event);
  runPoints(model->plan->functions[launch.kernel], arguments, points, launch.grain);
  event.before = false;
  if (observer) observer(event);
}

uint64_t HostBackend::word(const Argument &argument, const StepRecord &step, int32_t layer) const {
  auto at = [&](const void *pointer) { return reinterpret_cast<uintptr_t>(pointer) + argument.offset; };
  switch (argument.kind) {
  case ArgumentKind::buffer:
    return at(arena.data() + step.entry->offsets[argument.index]);
  case ArgumentKind::weight: {
    const std::vector<uint32_t> &instances = model->instances[argument.index];
    const uint64_t instance = instances.empty() ? 0 : instances[size_t(layer)];
    return at(model->weights.base(argument.index) + instance * model->tables().weights[argument.index].bytes);
  }
  case ArgumentKind::constant: {
    const Constant &constant = model->tables().constants[argument.index];
    return at(model->plan->constants() + constant.offset +
              (constant.layerBytes ? uint64_t(layer) * constant.layerBytes : 0));
  }
  case ArgumentKind::pool:
    return at(bytesOf({argument.index, layer < 0 ? 0 : model->tables().layerOrdinals[size_t(layer)], 0}).data());
  case ArgumentKind::pageTable:
    return at(table->data());
  case ArgumentKind::tokenIds:
    return at(step.tokenIds);
  case ArgumentKind::rowPositions:
    return at(step.rowPositions);
  case ArgumentKind::rowSlots:
    return at(step.rowSlots);
  case ArgumentKind::outputRows:
    return at(step.outputRows);
  case ArgumentKind::workList:
    return at(step.workLists[argument.index].records);
  case ArgumentKind::logits:
    return at(step.logits);
  case ArgumentKind::tokenCount:
  case ArgumentKind::outputCount:
  case ArgumentKind::sequenceCount:
  case ArgumentKind::workCount:
  case ArgumentKind::immediate:
    return *countOf(argument, step);
  }
  return 0;
}

void HostBackend::runPoints(KernelFunction function, const uint64_t *arguments, uint64_t points, uint64_t grain) {
  if (points <= grain || threads->workers() == 1) return function(arguments, 0, int64_t(points), scratch.data());
  nextPoint.store(0, std::memory_order_relaxed);
  threads->run([&](uint32_t worker) {
    for (uint64_t begin; (begin = nextPoint.fetch_add(grain, std::memory_order_relaxed)) < points;)
      function(arguments, int64_t(begin), int64_t(std::min(begin + grain, points)),
               scratch.data() + worker * scratchStride);
  });
}

} // namespace mmc::runtime

// Implements execution. Every index was checked when the plan was decoded; nothing is checked here.
#include "runtime/src/Executor.h"

namespace mmc::runtime {

Expected<std::unique_ptr<Executor>> Executor::create(std::shared_ptr<const Model> model, const Pools &pools,
                                                     uint8_t *arena, std::unique_ptr<ThreadPool> threads) {
  std::unique_ptr<Executor> executor(new Executor);
  // Page multiples: threads share neither cache lines nor pages of scratch.
  executor->scratchStride = roundUp(model->plan->scratchBytes, 4096);
  Expected<Mapping> scratch =
      Mapping::create(executor->scratchStride * threads->workers(), Mapping::Kind::reserved, "scratch of the threads");
  if (!scratch.ok()) return scratch.status();
  executor->scratch = std::move(*scratch);
  executor->model = std::move(model);
  executor->pools = &pools;
  executor->arena = arena;
  executor->threads = std::move(threads);
  return executor;
}

bool Executor::runBody(const StepRecord &step, const std::atomic<bool> &cancelled) {
  return runCommands(model->tables().body, step, -1, false, cancelled);
}

bool Executor::runHead(const StepRecord &step, const std::atomic<bool> &cancelled) {
  return runCommands(model->tables().head, step, -1, true, cancelled);
}

bool Executor::runCommands(const Program &program, const StepRecord &step, int32_t layer, bool inHead,
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

static uint64_t extentOf(const Extent &extent, const StepRecord &step) {
  switch (extent.kind) {
  case ExtentKind::fixed:
    return extent.value;
  case ExtentKind::tokens:
    return step.tokens;
  case ExtentKind::outputs:
    return step.outputs;
  case ExtentKind::sequences:
    return step.sequences;
  case ExtentKind::work:
    return step.workLists[extent.value].count;
  }
  return 0;
}

void Executor::runLaunch(const Launch &launch, const StepRecord &step, int32_t layer, bool inHead) {
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

uint64_t Executor::word(const Argument &argument, const StepRecord &step, int32_t layer) const {
  auto at = [&](const void *pointer) { return reinterpret_cast<uintptr_t>(pointer) + argument.offset; };
  switch (argument.kind) {
  case ArgumentKind::buffer:
    return at(arena + step.entry->offsets[argument.index]);
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
    return at(pools->layer(argument.index, layer < 0 ? 0 : model->tables().layerOrdinals[size_t(layer)]));
  case ArgumentKind::pageTable:
    return at(pools->pageTable());
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
    return step.tokens;
  case ArgumentKind::outputCount:
    return step.outputs;
  case ArgumentKind::sequenceCount:
    return step.sequences;
  case ArgumentKind::workCount:
    return step.workLists[argument.index].count;
  case ArgumentKind::immediate:
    return argument.offset;
  }
  return 0;
}

void Executor::runPoints(KernelFunction function, const uint64_t *arguments, uint64_t points, uint64_t grain) {
  if (points <= grain || threads->workers() == 1) return function(arguments, 0, int64_t(points), scratch.data());
  nextPoint.store(0, std::memory_order_relaxed);
  threads->run([&](uint32_t worker) {
    for (uint64_t begin; (begin = nextPoint.fetch_add(grain, std::memory_order_relaxed)) < points;)
      function(arguments, int64_t(begin), int64_t(std::min(begin + grain, points)),
               scratch.data() + worker * scratchStride);
  });
}

} // namespace mmc::runtime

// Implements a session's memory on a device, and what a step does besides its launches.
#include "runtime/cuda/session/DeviceBackend.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace mmc::cuda {

using runtime::BackendShape;
using runtime::kAlignment;
using runtime::Pool;
using runtime::PoolKind;
using runtime::PoolUnit;
using runtime::StepRecord;

/// Logits of the largest run of the head.
static uint64_t logitsBytes(const runtime::PlanTables &plan) {
  uint64_t outputs = 0;
  for (const runtime::EntryPoint &entry : plan.entryPoints)
    outputs = std::max<uint64_t>(outputs, std::min(entry.outputs, plan.maxNumBatchedTokens));
  return outputs * plan.vocabulary * sizeof(float);
}

Expected<std::unique_ptr<runtime::Backend>> DeviceBackend::create(std::shared_ptr<const runtime::Model> model,
                                                                  const runtime::PageTable &table,
                                                                  const BackendShape &shape,
                                                                  const DeviceOptions &options) {
  std::unique_ptr<DeviceBackend> backend(new DeviceBackend);
  backend->device = model->device->device();
  backend->model = std::move(model);
  backend->table = &table;
  backend->options = options;
  backend->graphs.resize(backend->plan().entryPoints.size());
  MMC_RETURN_IF_ERROR(backend->reserve(shape));
  return std::unique_ptr<runtime::Backend>(std::move(backend));
}

Status DeviceBackend::reserve(const BackendShape &shape) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  auto take = [](auto &to, auto made) {
    if (made.ok()) to = std::move(*made);
    return made.status();
  };
  MMC_RETURN_IF_ERROR(take(stream, OwnedStream::create(device)));
  MMC_RETURN_IF_ERROR(take(side, OwnedStream::create(device)));
  MMC_RETURN_IF_ERROR(take(forked, OwnedEvent::create(device)));
  MMC_RETURN_IF_ERROR(take(joining, OwnedEvent::create(device)));
  MMC_RETURN_IF_ERROR(reservePools(shape));
  MMC_RETURN_IF_ERROR(take(pageTable, DeviceMemory::allocate(device, table->bytes(), "the page table")));
  MMC_RETURN_IF_ERROR(take(arena, DeviceMemory::allocate(device, plan().arenaBytes(), "temporaries of a step")));
  MMC_RETURN_IF_ERROR(take(record, DeviceMemory::allocate(device, shape.recordBytes, "the step record")));
  MMC_RETURN_IF_ERROR(take(hostRecord, PinnedMemory::allocate(device, shape.recordBytes, "the step record")));
  MMC_RETURN_IF_ERROR(take(logits, DeviceMemory::allocate(device, logitsBytes(plan()), "logits")));
  MMC_RETURN_IF_ERROR(take(hostLogits, PinnedMemory::allocate(device, logitsBytes(plan()), "logits")));
  MMC_RETURN_IF_ERROR(take(copied, OwnedEvent::create(device)));
  if (pageTable.size())
    MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memsetD8Async, (pageTable.address(), 0, pageTable.size(), stream.get()),
                                      "clearing the page table"));
  MMC_RETURN_IF_ERROR(encodeMaps());
  // Tensor copies bring whole boxes, and what is in rows that no kernel has written is thrown away later: it is
  // defined, but no number.
  if (arena.size() && !maps.empty())
    MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memsetD8Async, (arena.address(), 0xff, arena.size(), stream.get()),
                                      "clearing temporaries of a step"));
  return wait("clearing the session's memory");
}

Expected<uint64_t> DeviceBackend::pagesThatFit(const runtime::Model &model, const BackendShape &shape) {
  const runtime::PlanTables &plan = model.tables();
  const DeviceContext &device = *model.device->device();
  DeviceContext::Scope scope(device);
  MMC_RETURN_IF_ERROR(scope.status());
  size_t free = 0, total = 0;
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(device, memGetInfo, (&free, &total), "asking how much memory is free"));
  uint64_t pageBytes = 0;
  for (const Pool &pool : plan.pools)
    if (pool.kind == PoolKind::pages) pageBytes += pool.unitBytes * pool.layers;
  const uint64_t rest = shape.slots * (plan.stateBytesPerSequence() + plan.pagesPerSequence * sizeof(int32_t)) +
                        plan.arenaBytes() + shape.recordBytes + logitsBytes(plan);
  const uint64_t usable = free / 10 * 9;
  if (!pageBytes) return shape.pages;
  return std::min(shape.pages, std::max<uint64_t>(1, (usable - std::min(usable, rest)) / pageBytes));
}

Status DeviceBackend::reservePools(const BackendShape &shape) {
  uint64_t largest = 0;
  for (const Pool &pool : plan().pools) {
    const uint64_t units = pool.kind == PoolKind::slots ? shape.slots : shape.pages;
    uint64_t bytes;
    if (__builtin_mul_overflow(units, pool.unitBytes * pool.layers, &bytes)) bytes = ~uint64_t(0);
    Expected<DeviceMemory> memory = DeviceMemory::allocate(device, bytes, "pool '" + pool.name + "'");
    if (!memory.ok()) return memory.status();
    if (bytes && pool.kind == PoolKind::slots) // pages are cleared when they are first taken
      MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memsetD8Async, (memory->address(), 0, bytes, stream.get()),
                                        "clearing pool '" + pool.name + "'"));
    pools.push_back({std::move(*memory), units * pool.unitBytes, pool.unitBytes});
    largest = std::max(largest, pool.unitBytes);
  }
  Expected<PinnedMemory> memory = PinnedMemory::allocate(device, largest, "copies of pools");
  if (memory.ok()) unitMemory = std::move(*memory);
  return memory.status();
}

/// What is under way uses memory that goes now.
DeviceBackend::~DeviceBackend() {
  DeviceContext::Scope scope(*device);
  for (const OwnedStream *one : {&stream, &side})
    if (one->get() && scope.status().ok()) device->driver().streamSynchronize(one->get());
}

Status DeviceBackend::wait(const std::string &doing) {
  return MMC_CUDA_CALL(*device, streamSynchronize, (stream.get()), doing);
}

// ----------------------------------------------------------------------------------------------------------------
// steps

static std::string textOf(const StepRecord &step) {
  return "step " + std::to_string(step.number) + " of " + std::to_string(step.sequences) + " sequences and " +
         std::to_string(step.tokens) + " tokens";
}

Status DeviceBackend::updatePages(uint32_t slot, uint64_t begin, uint64_t end) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  const int32_t *from = table->pagesOf(slot) + begin;
  MMC_RETURN_IF_ERROR(clearPages(uint64_t(*std::max_element(from, from + (end - begin))) + 1));
  const DevicePointer to = pageTable.address() + uint64_t(from - table->data()) * sizeof(int32_t);
  return MMC_CUDA_CALL(*device, memcpyHtoDAsync, (to, from, (end - begin) * sizeof(int32_t), stream.get()),
                       "copying pages of slot " + std::to_string(slot) + " to the device");
}

/// Clears what was never taken before page `end`: pages are taken in the order of their numbers, or from those
/// returned.
Status DeviceBackend::clearPages(uint64_t end) {
  if (end <= clearedPages) return {};
  const uint64_t first = clearedPages;
  for (size_t i = 0; i < pools.size(); ++i)
    for (uint64_t layer = 0; plan().pools[i].kind == PoolKind::pages && layer < plan().pools[i].layers; ++layer)
      MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(
          *device, memsetD8Async, (addressOf({i, layer, first}), 0, (end - first) * pools[i].unitBytes, stream.get()),
          "clearing KV pages"));
  clearedPages = end;
  return {};
}

Status DeviceBackend::beginStep(const StepRecord &step) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  owed = {}; // of a step that failed
  auto *counts = reinterpret_cast<uint32_t *>(hostRecord.data() + step.layout->counts);
  *counts++ = uint32_t(step.tokens);
  *counts++ = uint32_t(step.sequences);
  for (const StepRecord::List &list : step.workLists) *counts++ = uint32_t(list.count);
  for (uint64_t begin = 0; begin < step.totalOutputs; begin += step.entry->outputs)
    *counts++ = uint32_t(std::min<uint64_t>(step.entry->outputs, step.totalOutputs - begin));
  return MMC_CUDA_CALL(*device, memcpyHtoDAsync,
                       (record.address(), hostRecord.data(), step.layout->bytes, stream.get()),
                       "copying the record of step " + std::to_string(step.number) + " to the device");
}

Status DeviceBackend::runBody(const StepRecord &step, const std::atomic<bool> &cancelled) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  const Place place{plan().body, -1, false};
  return isCaptured(step) ? replay(place, step, cancelled) : runCommands(place, step, cancelled);
}

Status DeviceBackend::runHead(const StepRecord &step, const std::atomic<bool> &cancelled) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  const Place place{plan().head, -1, true};
  // Words of a later run are others: its counts, rows and logits.
  const bool captured = isCaptured(step) && step.run == 0;
  MMC_RETURN_IF_ERROR(captured ? replay(place, step, cancelled) : runCommands(place, step, cancelled));
  // The run before leaves its memory while this one computes.
  MMC_RETURN_IF_ERROR(takeLogits(step));
  const uint64_t bytes = step.outputs * plan().vocabulary * sizeof(float);
  const auto *wanted = reinterpret_cast<uint8_t *>(step.logits);
  const bool isHere = std::less_equal<>()(hostLogits.data(), wanted) &&
                      std::less_equal<>()(wanted + bytes, hostLogits.data() + hostLogits.size());
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(
      *device, memcpyDtoHAsync,
      (isHere ? static_cast<void *>(step.logits) : hostLogits.data(), logits.address(), bytes, stream.get()),
      textOf(step) + ", at the copy of its logits"));
  if (isHere) return {};
  owed = {step.logits, bytes};
  return MMC_CUDA_CALL(*device, eventRecord, (copied.get(), stream.get()), textOf(step) + ", behind its logits");
}

float *DeviceBackend::logitsMemory(uint64_t rows) {
  const bool fits = rows * plan().vocabulary * sizeof(float) <= hostLogits.size();
  return fits ? reinterpret_cast<float *>(hostLogits.data()) : nullptr;
}

/// Waits for the copy of the last run of the head, and takes its logits to their place.
Status DeviceBackend::takeLogits(const StepRecord &step) {
  const auto [to, bytes] = std::exchange(owed, {});
  if (!bytes) return {};
  MMC_RETURN_IF_ERROR(
      MMC_CUDA_CALL(*device, eventSynchronize, (copied.get()), textOf(step) + ", at the copy of its logits"));
  std::memcpy(to, hostLogits.data(), bytes);
  return {};
}

Status DeviceBackend::endStep(const StepRecord &step) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  if (std::exchange(sideRuns, false))
    MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, streamSynchronize, (side.get()), textOf(step)));
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, streamSynchronize, (stream.get()), textOf(step)));
  return takeLogits(step);
}

// ----------------------------------------------------------------------------------------------------------------
// pools

Status DeviceBackend::clearSlot(uint32_t slot) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  for (size_t i = 0; i < pools.size(); ++i)
    for (uint64_t layer = 0; plan().pools[i].kind == PoolKind::slots && layer < plan().pools[i].layers; ++layer)
      MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memsetD8Async,
                                        (addressOf({i, layer, slot}), 0, pools[i].unitBytes, stream.get()),
                                        "clearing slot " + std::to_string(slot)));
  return {};
}

Expected<std::span<const uint8_t>> DeviceBackend::readUnit(const PoolUnit &unit) {
  const std::span<uint8_t> to(unitMemory.data(), pools[unit.pool].unitBytes);
  MMC_RETURN_IF_ERROR(readMemory(addressOf(unit), to));
  return std::span<const uint8_t>(to);
}

std::span<uint8_t> DeviceBackend::openUnit(const PoolUnit &unit) {
  return {unitMemory.data(), pools[unit.pool].unitBytes};
}

Status DeviceBackend::storeUnit(const PoolUnit &unit) {
  return writeMemory(addressOf(unit), {unitMemory.data(), pools[unit.pool].unitBytes});
}

Status DeviceBackend::readMemory(uint64_t address, std::span<uint8_t> to) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memcpyDtoHAsync, (to.data(), address, to.size(), stream.get()),
                                    "copying " + std::to_string(to.size()) + " bytes to the host"));
  return wait("copying memory to the host");
}

Status DeviceBackend::writeMemory(uint64_t address, std::span<const uint8_t> from) {
  DeviceContext::Scope scope(*device);
  MMC_RETURN_IF_ERROR(scope.status());
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memcpyHtoDAsync, (address, from.data(), from.size(), stream.get()),
                                    "copying " + std::to_string(from.size()) + " bytes to the device"));
  return wait("copying memory to the device");
}

} // namespace mmc::cuda

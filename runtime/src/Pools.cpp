// Implements session memory. Invariant: pages [0, fresh) are each in exactly one sequence's row of the table or once in
// the free list.
#include "runtime/src/Pools.h"

#include "runtime/src/Errors.h"

#include <cstring>

namespace mmc::runtime {

/// Reserves count * size bytes.
static Expected<Mapping> reserveArray(uint64_t count, uint64_t size, const std::string &what) {
  uint64_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes))
    return Status(kMemoryExhausted,
                  "cannot reserve " + std::to_string(count) + " x " + std::to_string(size) + " bytes for " + what);
  return Mapping::create(bytes, Mapping::Kind::reserved, what.c_str());
}

Expected<Pools> Pools::create(const PlanTables &plan, uint32_t slots, uint64_t pages) {
  Pools pools;
  for (const Pool &pool : plan.pools) {
    const uint64_t units = pool.kind == PoolKind::slots ? slots : pages;
    Expected<Mapping> memory = reserveArray(units, pool.unitBytes * pool.layers, "pool '" + pool.name + "'");
    if (!memory.ok()) return memory.status();
    pools.memory.push_back(std::move(*memory));
    pools.units.push_back(units);
    pools.unitBytes.push_back(pool.unitBytes);
  }
  Expected<Mapping> table = reserveArray(slots, uint64_t(plan.pagesPerSequence) * sizeof(int32_t), "the page table");
  if (!table.ok()) return table.status();
  Expected<Mapping> freeList = reserveArray(pages, sizeof(int32_t), "the list of free pages");
  if (!freeList.ok()) return freeList.status();
  pools.table = std::move(*table);
  pools.freeList = std::move(*freeList);
  pools.pageCount = pages;
  pools.pagesPerSequence = plan.pagesPerSequence;
  return pools;
}

void Pools::takePages(uint32_t slot, uint64_t have, uint64_t need) {
  int32_t *row = pagesOf(slot);
  const int32_t *stack = reinterpret_cast<int32_t *>(freeList.data());
  for (uint64_t i = have; i < need; ++i) row[i] = returned ? stack[--returned] : int32_t(fresh++);
}

void Pools::returnPages(uint32_t slot, uint64_t have) {
  int32_t *row = pagesOf(slot);
  int32_t *stack = reinterpret_cast<int32_t *>(freeList.data());
  for (uint64_t i = 0; i < have; ++i) stack[returned++] = std::exchange(row[i], 0);
}

void Pools::clearSlot(const PlanTables &plan, uint32_t slot) {
  for (size_t i = 0; i < plan.pools.size(); ++i)
    for (uint64_t ordinal = 0; plan.pools[i].kind == PoolKind::slots && ordinal < plan.pools[i].layers; ++ordinal)
      std::memset(unit(i, ordinal, slot), 0, unitBytes[i]);
}

} // namespace mmc::runtime

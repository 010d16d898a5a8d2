// Implements the books of pages. Invariant: pages [0, fresh) are each in exactly one sequence's row of the table or
// once in the free list.
#include "runtime/src/PageTable.h"

#include "runtime/src/Errors.h"

namespace mmc::runtime {

Expected<Mapping> reserveArray(uint64_t count, uint64_t size, const std::string &what) {
  uint64_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes))
    return Status(kMemoryExhausted,
                  "cannot reserve " + std::to_string(count) + " x " + std::to_string(size) + " bytes for " + what);
  return Mapping::create(bytes, Mapping::Kind::reserved, what.c_str());
}

Expected<PageTable> PageTable::create(const PlanTables &plan, uint32_t slots, uint64_t pages) {
  PageTable made;
  Expected<Mapping> table = reserveArray(slots, uint64_t(plan.pagesPerSequence) * sizeof(int32_t), "the page table");
  if (!table.ok()) return table.status();
  Expected<Mapping> freeList = reserveArray(pages, sizeof(int32_t), "the list of free pages");
  if (!freeList.ok()) return freeList.status();
  made.table = std::move(*table);
  made.freeList = std::move(*freeList);
  made.pageCount = pages;
  made.pagesPerSequence = plan.pagesPerSequence;
  return made;
}

void PageTable::takePages(uint32_t slot, uint64_t have, uint64_t need) {
  int32_t *entries = row(slot);
  const int32_t *stack = reinterpret_cast<int32_t *>(freeList.data());
  for (uint64_t i = have; i < need; ++i) entries[i] = returned ? stack[--returned] : int32_t(fresh++);
}

void PageTable::returnPages(uint32_t slot, uint64_t have) {
  int32_t *entries = row(slot);
  int32_t *stack = reinterpret_cast<int32_t *>(freeList.data());
  for (uint64_t i = 0; i < have; ++i) stack[returned++] = std::exchange(entries[i], 0);
}

} // namespace mmc::runtime

// Memory of a session that outlives a step: a slot per sequence in every state pool, and pages of KV.
//
// Layer i of a pool begins i * units * unitBytes after its start; units are slots or pages. One page number stands for
// the same unit in every page pool. Everything is reserved, not taken: pages that were never used cost nothing. A page
// belongs to one sequence or to nobody.
#pragma once

#include "runtime/src/Mapping.h"
#include "runtime/src/PlanTables.h"

namespace mmc::runtime {

class Pools {
public:
  static Expected<Pools> create(const PlanTables &plan, uint32_t slots, uint64_t pages);

  /// Start of a pool's layer.
  uint8_t *layer(size_t pool, uint64_t ordinal) const {
    return memory[pool].data() + ordinal * units[pool] * unitBytes[pool];
  }
  /// One slot or page of a pool's layer.
  uint8_t *unit(size_t pool, uint64_t ordinal, uint64_t unit) const {
    return layer(pool, ordinal) + unit * unitBytes[pool];
  }
  /// int32 [slots, pages_per_sequence]; entries beyond a sequence's pages are 0.
  int32_t *pageTable() const { return reinterpret_cast<int32_t *>(table.data()); }
  int32_t *pagesOf(uint32_t slot) const { return pageTable() + uint64_t(slot) * pagesPerSequence; }

  uint64_t freePages() const { return pageCount - fresh + returned; }
  /// Takes pages for entries [have, need) of a slot's row of the table. The caller has checked freePages().
  void takePages(uint32_t slot, uint64_t have, uint64_t need);
  /// Returns the first `have` pages of a slot.
  void returnPages(uint32_t slot, uint64_t have);
  /// Zeroes a slot in every state pool.
  void clearSlot(const PlanTables &plan, uint32_t slot);

private:
  std::vector<Mapping> memory; // per pool
  std::vector<uint64_t> units, unitBytes;
  Mapping table, freeList; // freeList: int32, a stack of returned pages
  uint64_t pageCount = 0, pagesPerSequence = 0;
  uint64_t fresh = 0;    // pages from here on were never taken
  uint64_t returned = 0; // height of the stack
};

} // namespace mmc::runtime

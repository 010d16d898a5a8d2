// Which pages each sequence of a session has. One page number stands for the same unit in every page pool; a page
// belongs to one sequence or to nobody.
#pragma once

#include "runtime/src/Mapping.h"
#include "runtime/src/PlanTables.h"

namespace mmc::runtime {

class PageTable {
public:
  static Expected<PageTable> create(const PlanTables &plan, uint32_t slots, uint64_t pages);

  /// int32 [slots, pages_per_sequence]; entries beyond a sequence's pages are 0.
  const int32_t *data() const { return reinterpret_cast<const int32_t *>(table.data()); }
  uint64_t bytes() const { return table.size(); }
  const int32_t *pagesOf(uint32_t slot) const { return row(slot); }

  uint64_t freePages() const { return pageCount - fresh + returned; }
  /// Takes pages for entries [have, need) of a slot's row of the table. The caller has checked freePages().
  void takePages(uint32_t slot, uint64_t have, uint64_t need);
  /// Returns the first `have` pages of a slot.
  void returnPages(uint32_t slot, uint64_t have);

private:
  int32_t *row(uint32_t slot) const {
    return reinterpret_cast<int32_t *>(table.data()) + uint64_t(slot) * pagesPerSequence;
  }

  Mapping table, freeList; // freeList: int32, a stack of returned pages
  uint64_t pageCount = 0, pagesPerSequence = 0;
  uint64_t fresh = 0;    // pages from here on were never taken
  uint64_t returned = 0; // height of the stack
};

/// Reserves count * size bytes.
Expected<Mapping> reserveArray(uint64_t count, uint64_t size, const std::string &what);

} // namespace mmc::runtime

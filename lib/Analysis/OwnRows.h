// Which memory of a view a kernel touches: all of it, or only what belongs to the work record of the point that runs.
//
//   %slot, %row, %rows, %position = tile.point %sequences[%sequence]
//   tile.store %y, %o[%row, %c0] along [0, 1] limit(%rows)      own rows
//   tile.store %s, %state[%slot, %c0] along [1]                 its own slot
//
// What is not recognised is said to be anything, so an answer that is not `anything` can be relied on.
#pragma once

#include "dialects/Tile/IR/Tile.h"

namespace mmc {

enum class Touched {
  anything,
  ownRows, // of dimension 0, rows [row, row + rows) of the record
  ownSlot  // of dimension 0, the record's slot: in a pool of slots, or of pages through the slot's row of a page table
};

/// What all loads and stores through argument `argument` have in common. `anything` too where the kernel has not
/// exactly one work list, or the argument is no view.
Touched touchedThrough(tile::KernelOp kernel, unsigned argument);

} // namespace mmc

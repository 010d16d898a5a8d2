#include "passes/Conversion/TileToHopper/SharedTiles.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

Value SharedTiles::get(SharedType type, unsigned index) {
  Value &tile = known[{type, index}];
  if (!tile) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    tile = AllocOp::create(builder, kernel.getLoc(), type);
    // Inside a loop its first use follows the last one of the trip before.
    if (loops) read.insert(tile);
  }
  return tile;
}

SharedType SharedTiles::typeFor(FragmentType fragment) const {
  return SharedType::get(fragment.getContext(), ArrayRef<int64_t>(fragment.getNumElements()), fragment.getElementType(),
                         0, 1);
}

void SharedTiles::barrier() {
  BarrierOp::create(builder, kernel.getLoc());
  written.clear();
  read.clear();
}

void SharedTiles::beforeWrite(Value tile) {
  if (written.contains(tile) || read.contains(tile)) barrier();
}

void SharedTiles::beforeRead(Value tile) {
  if (written.contains(tile)) barrier();
}

void SharedTiles::forget() {
  for (auto &entry : known) {
    read.insert(entry.second);
    written.insert(entry.second);
  }
}

} // namespace mmc::cuda

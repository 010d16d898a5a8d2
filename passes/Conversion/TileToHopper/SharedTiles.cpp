#include "passes/Conversion/TileToHopper/SharedTiles.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

Value SharedTiles::get(SharedType type, unsigned index) {
  Value &tile = known[{type, index}];
  if (!tile) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    Location loc = kernel.getLoc();
    if (index && type.getShape().size() == 2)
      loc = NameLoc::get(builder.getStringAttr(index % 2 ? "left" : "right"), loc);
    tile = AllocOp::create(builder, loc, type);
    // Inside a loop its first use follows the last one of the trip before.
    if (loops && touched.sinceLoop) touched.read.insert(tile);
  }
  return tile;
}

SharedType SharedTiles::typeFor(FragmentType fragment) const {
  return SharedType::get(fragment.getContext(), ArrayRef<int64_t>(fragment.getNumElements()), fragment.getElementType(),
                         0, 1);
}

void SharedTiles::barrier() {
  if (fences && touched.unfenced) FenceProxyOp::create(builder, kernel.getLoc());
  BarrierOp::create(builder, kernel.getLoc());
  touched = {};
  touched.sinceLoop = touched.unfenced = false;
}

/// Views that are only read, or only written, need no order.
bool SharedTiles::isMinded(Value memory) const { return isa<SharedType>(memory.getType()) || views.contains(memory); }

void SharedTiles::afterWrite(Value tile) {
  if (isMinded(tile)) touched.written.insert(tile);
  touched.unfenced |= isa<SharedType>(tile.getType());
}

void SharedTiles::afterRead(Value tile) {
  if (isMinded(tile)) touched.read.insert(tile);
}

void SharedTiles::beforeWrite(Value tile) {
  if (touched.written.contains(tile) || touched.read.contains(tile)) barrier();
}

void SharedTiles::beforeRead(Value tile) {
  if (touched.written.contains(tile)) barrier();
}

void SharedTiles::forget() {
  touched.sinceLoop = touched.unfenced = true;
  SmallVector<Value> all(views.begin(), views.end());
  for (auto &entry : known) all.push_back(entry.second);
  touched.read.insert(all.begin(), all.end());
  touched.written.insert(all.begin(), all.end());
}

SharedTiles::Touched SharedTiles::enterFront() {
  Touched inside = touched;
  forget();
  return inside;
}

void SharedTiles::leaveFront(Touched inside) {
  touched.sinceLoop = inside.sinceLoop;
  touched.unfenced |= inside.unfenced;
  touched.written.insert(inside.written.begin(), inside.written.end());
  touched.read.insert(inside.read.begin(), inside.read.end());
}

} // namespace mmc::cuda

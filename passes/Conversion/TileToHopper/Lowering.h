// The state of the conversion of one tile kernel.
//
// Tile values are made on demand, in the layout that their user wants: an elementwise expression becomes one loop over
// a fragment's registers (hopper.map) with its single-use producers inside. Only products, reductions, loop values and
// top-k results exist once, in a layout of their own; where a user wants another, the value goes through shared memory.
//
// Invariant: `made` of a scope holds fragments that dominate everything still to be emitted in it.
#pragma once

#include "passes/Conversion/TileToHopper/Layouts.h"
#include "passes/Conversion/TileToHopper/SharedTiles.h"

#include "mlir/IR/IRMapping.h"

namespace mmc::cuda {

class Lowering {
public:
  /// `roles`: operands that are loaded in loops come through rings, for splitRoles to take apart.
  Lowering(tile::KernelOp source, hopper::KernelOp target, bool roles);
  /// Emits the body. On failure an error was emitted.
  mlir::LogicalResult run();

private:
  /// What a load's copy lies in.
  struct StagedTile {
    mlir::Value tile, stage;
  };
  /// A block of the tile kernel that is being emitted, with the fragments made in it.
  struct Scope {
    Scope(mlir::Block *block, mlir::Operation *loop) : block(block), loop(loop) {}
    mlir::Block *block;
    mlir::Operation *loop; // the emitted loop around it; null for the kernel's body
    llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value, 2>> made;
    llvm::DenseMap<mlir::Operation *, StagedTile> held; // loads that came by a ring and are used again
    llvm::SmallVector<mlir::Value> toRelease;           // their rings, in the order of acquires
    /// Shared tiles that hold operands of products in inner loops.
    llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> placed;
  };
  struct MapBody;

  // Emitter.cpp: ops in order
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation &op);
  mlir::LogicalResult emitLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult emitDistributed(mlir::scf::ForOp loop);
  mlir::LogicalResult emitReduce(tile::ReduceOp reduce);
  mlir::LogicalResult emitTopK(tile::TopKOp topK);
  mlir::LogicalResult emitStore(tile::StoreOp store);
  bool canDistribute(mlir::scf::ForOp loop);
  /// Loads of `view` that stand before `writer`, a store or a loop with one, and are needed after it are made now.
  mlir::LogicalResult makeLoadsBefore(mlir::Operation *writer, mlir::Value view);

  // Products.cpp
  struct Operand;
  mlir::LogicalResult emitDot(tile::DotOp dot);
  mlir::FailureOr<Operand> operandOf(mlir::Value value, unsigned number, unsigned depthDim, int64_t rows,
                                     int64_t columns);
  mlir::LogicalResult fill(Operand &operand);
  mlir::LogicalResult place(Operand &operand, hopper::SharedType type);
  /// `byTensor`: through a tensor map.
  void copyTo(const Operand &operand, mlir::Value shared, mlir::Value stage, mlir::Value depth, bool byTensor = false);
  /// acc + a b by the kernel's family: in flight where `isAsync` says so.
  mlir::Value product(tile::DotOp dot, mlir::Value acc, mlir::Value a, mlir::Value b, mlir::Value stage);
  bool isAsync(tile::DotOp dot, mlir::Type acc, mlir::Type a, mlir::Type b) const;
  mlir::Value complete(mlir::Value product);
  /// Zeros, or the accumulator that the product has.
  mlir::Value startOf(tile::DotOp dot);
  mlir::Value multiplyWhole(tile::DotOp dot, Operand &a, Operand &b, mlir::Value acc);

  // Rings.cpp
  struct StreamedProduct;
  /// What an operand comes to by a ring; a tile without a type: it comes otherwise.
  struct RingTile {
    mlir::Value tile;
    hopper::SharedType type;
    bool byTensor; // by tensor copies
  };
  /// A ring with the tiles of a left operand and of right ones.
  struct RingTiles {
    mlir::Value ring;
    llvm::SmallVector<RingTile, 3> tiles;
    mlir::Value a() const { return tiles[0].tile; }
    mlir::Value b() const { return tiles[1].tile; }
    /// Whether no thread copies by itself.
    bool isByEngine() const {
      return llvm::all_of(tiles, [](const RingTile &tile) { return tile.byTensor || !tile.type; });
    }
  };
  bool comesByRing(const Operand &operand) const;
  /// Whether a tensor copy can bring it to a tile of this type. In TensorCopies.cpp.
  bool comesByTensor(const Operand &operand, hopper::SharedType tile) const;
  const StagedTile *held(mlir::Operation *load) const;
  bool takeHeld(Operand &a, Operand &b, mlir::Value &stage) const;
  void holdOrRelease(const RingTiles &ring, const Operand &a, const Operand &b, mlir::Value stage);
  /// At the end of a loop's trip.
  void releaseHeld();
  /// The ring for operands that come to tiles of these types; null: that one does not come by it.
  RingTiles ringFor(llvm::ArrayRef<const Operand *> operands, llvm::ArrayRef<hopper::SharedType> types, int64_t stages);
  void fillRing(const RingTiles &tiles, llvm::ArrayRef<const Operand *> operands, mlir::Value depth);
  /// The ring by which operands that are wanted whole come, and what fills it.
  RingTiles bringByRing(Operand &a, Operand &b);
  mlir::Value acquire(const RingTiles &tiles);
  llvm::SmallVector<mlir::Value> multiplyPiecesFromRing(llvm::ArrayRef<StreamedProduct> products, Operand &a,
                                                        int64_t piece, int64_t pieces);

  // StreamedProducts.cpp
  struct Stream;
  mlir::LogicalResult emitStreamed(tile::DotOp dot, Operand &a, Operand &b, mlir::Value acc, int64_t depth);
  tile::DotOp partnerOf(tile::DotOp dot);

  // Values.cpp: fragments on demand
  mlir::Value scalar(mlir::Value value) { return scalars.lookupOrDefault(value); }
  llvm::SmallVector<mlir::Value> scalarsOf(mlir::ValueRange values);
  mlir::Value constant(int64_t value);
  /// The value as a fragment of this type; null after an error.
  mlir::Value make(mlir::Value value, hopper::FragmentType type);
  mlir::Value makeNatural(mlir::Value value) { return make(value, layouts.naturalType(value)); }
  mlir::Value compute(mlir::Value value, hopper::FragmentType type);
  mlir::Value load(mlir::Operation *op, hopper::FragmentType type);
  mlir::Value map(mlir::Value value, hopper::FragmentType type);
  mlir::Value element(MapBody &body, mlir::Value value, llvm::ArrayRef<int64_t> dims);
  bool isInlined(MapBody &body, mlir::Value value, size_t rank);
  /// `fragment`, which holds `value`, under another layout or shape: through shared memory.
  mlir::Value convert(mlir::Value value, mlir::Value fragment, hopper::FragmentType type);
  void keep(mlir::Value value, mlir::Value fragment) { scopes.back().made[value].push_back(fragment); }
  size_t scopeOf(mlir::Value value) const;

  tile::KernelOp source;
  hopper::KernelOp target;
  bool byWarpgroups; // products are wgmma where they fit
  bool roles;        // other warps fill the shared tiles of operands that are loaded in loops
  mlir::OpBuilder builder;
  Layouts layouts;
  SharedTiles tiles;
  mlir::IRMapping scalars; // and views, work lists
  unsigned placedTiles = 0;
  llvm::SmallVector<RingTiles> rings;
  llvm::SmallVector<Scope> scopes;
};

} // namespace mmc::cuda

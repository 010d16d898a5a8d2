// The reference interpreter of tile kernels: runs one tile.kernel on real memory, slowly and obviously, as the oracle
// of every target.
//
// Values are computed in float64 and rounded only where the program says so: arith.truncf, results of bf16 type, stores
// to f32 and bf16 views. Integers are exact. An out-of-range access, a division by zero or an op that it does not know
// is an error at the op's location.
#pragma once

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace mmc::tile {
class KernelOp;
}

namespace mmc::interpreter {

struct TileProgram;

/// How values of type f32 are kept between stores. `float32` rounds the result of every op that has this type, and
/// accumulates products so.
enum class TilePrecision { float64, float32 };

/// The memory that a run may touch. Addresses in argument words and page tables are translated through it, so a kernel
/// can run on copies of the buffers that another execution used; an access that leaves the region of its argument is an
/// error. Not owned: the caller keeps both memories alive during the run.
class MemoryMap {
public:
  struct Region {
    uint64_t begin;
    uint64_t bytes;
    std::byte *memory;
  };

  /// Registers `bytes` bytes at `begin`, held by `copy` (null: by `begin` itself). Regions may nest: an argument
  /// belongs to the smallest region that contains its pointer, which bounds its accesses.
  void add(const void *begin, uint64_t bytes, void *copy = nullptr);

  /// The smallest region that contains `address` (or ends there, for empty buffers), if any.
  const Region *find(uint64_t address) const;

private:
  std::vector<Region> regions;
};

/// What bounds the non-fixed dimensions of a work domain in one step.
struct TileCounts {
  int64_t tokens = 0;
  int64_t outputs = 0;
  int64_t sequences = 0;
  /// Records of each work list, one entry per argument of type !tile.ragged, in order.
  std::vector<int64_t> work = {};
};

/// A kernel made ready to run. It refers to the kernel's ops, which must outlive it. Runs may happen on several threads
/// at once.
class TileInterpreter {
public:
  /// Prepares `kernel`, which has passed the verifier. Emits an error and fails where it uses an op or a type that has
  /// no meaning here.
  static mlir::FailureOr<TileInterpreter> create(tile::KernelOp kernel,
                                                 TilePrecision precision = TilePrecision::float64);

  /// Words that the arguments take together: a view one (a pointer), a paged view two (pool, page table), a work list
  /// one (a pointer to records of four int32), a count one (its value).
  size_t wordCount() const;

  /// The sizes of the work domain in a step with these counts.
  std::vector<int64_t> extents(const TileCounts &counts) const;

  /// Runs the points `begin` <= p < `end` (all by default) of a domain of sizes `extents`, numbered with the last
  /// dimension fastest, in ascending order. Without `memory`, words are addresses in this process and nothing is
  /// checked against the ends of buffers. Emits an error at the op in question and fails if an access is out of range.
  mlir::LogicalResult run(std::span<const uint64_t> words, std::span<const int64_t> extents,
                          const MemoryMap *memory = nullptr, int64_t begin = 0,
                          std::optional<int64_t> end = std::nullopt) const;

private:
  explicit TileInterpreter(std::shared_ptr<const TileProgram> program) : program(std::move(program)) {}

  std::shared_ptr<const TileProgram> program;
};

} // namespace mmc::interpreter

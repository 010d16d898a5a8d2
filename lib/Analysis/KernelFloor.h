// What a tile kernel must do at least: floating-point operations of its products, and bytes of memory, per unit of
// work.
//
// Everything follows from the tile program: an operand counts once however many work points and turns of a loop read
// it, and what tiles read again is counted apart, because it comes out of L2. The analysis looks at where indices come
// from (points of the domain, loops, records of a work list), so sizes of a step stay open: results are per token, per
// sequence, per cached position and so on.
#pragma once

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mmc::tile {
class KernelOp;
}

namespace mmc::analysis {

/// What work is counted in. Of a kernel with a work list only what is in the list counts.
enum class Unit : uint8_t {
  launch,   // once
  token,    // rows of the step, or of the list's sequences
  output,   // rows of logits
  sequence, // sequences, or records of the list
  position, // positions that the list's sequences have in the cache after the step, summed over sequences
  pair,     // a token and a position, for tiles of tokens that go over positions
  part,     // shares of a sequence's positions that blocks take, those with any
  route,    // rows that the router has made: a token's experts, one row each
  row,      // different rows of a view that data names (a gather, a table)
};
/// "token", "cached position"
llvm::StringRef unitName(Unit unit);

/// So much for each unit.
using Amounts = std::map<Unit, double>;
/// How many units a launch has; what is missing is 0, the launch itself 1.
using UnitCounts = std::map<Unit, double>;
double total(const Amounts &amounts, const UnitCounts &counts);

/// Bytes of one kernel argument.
struct ArgumentTraffic {
  std::string name;
  Amounts read, written;     // each byte once
  Amounts reread, rewritten; // every time that a tile is loaded or stored, whole tiles
};

struct KernelFloor {
  std::vector<ArgumentTraffic> arguments; // those with traffic, in the kernel's order
  Amounts flops;                          // of products: 2 M N K each

  Amounts bytes() const;          // read and written, each byte once
  Amounts bytesThroughL2() const; // by tiles
};

/// Bytes that a launch moves by tiles: for each operand what its tiles take, and once all of it where that is more (the
/// last tiles of a step are not full).
double totalThroughL2(const KernelFloor &floor, const UnitCounts &counts);

/// Fails where an index or a loop is of a form that the analysis does not know; `why`, where it is not null, says
/// which.
mlir::FailureOr<KernelFloor> floorOf(tile::KernelOp kernel, std::string *why = nullptr);

/// As comments of a source, lines that begin with "// ".
std::string floorComment(const KernelFloor &floor);

} // namespace mmc::analysis

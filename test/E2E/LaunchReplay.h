// Runs every launch of a session a second time on the tile interpreter, in float64, on copies of the memory that the
// launch really had, and compares what the two wrote. Launches on a device are held against the tile program after the
// passes that write the rounding points of products for tensor cores.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct mmc_session;

namespace mmc::test {

/// How far the memory of one kind of kernel was from the interpreter's, over all its launches.
struct LaunchDifference {
  uint64_t launches = 0;
  double float32 = 0;                // largest difference over the largest absolute value of its row
  double bfloat16 = 0;               // the same for bfloat16 memory
  uint64_t integers = 0, floats = 0; // values that differ in any bit; integers must not
  uint64_t written = 0;              // bytes that the launches changed
  std::string where;                 // of the largest difference
};

/// What a launch left in all memory that it may write, as a hash: two of the same inputs are equal where no bit
/// differs.
struct LaunchPrint {
  std::string kernel;
  uint64_t hash = 0;
  bool operator==(const LaunchPrint &) const = default;
};

enum class Replay {
  interpret, // on the interpreter, and take the print
  print      // take the print only: for the same step under another schedule
};

class LaunchReplay {
public:
  /// Observes `session`, which was made from `plan`, for at most `slots` sequences and all their pages, until it is
  /// destroyed. Failures are test failures.
  LaunchReplay(mmc_session *session, std::span<const uint8_t> plan, uint32_t slots, Replay mode = Replay::interpret);
  ~LaunchReplay();

  /// By kernel name, of the launches so far.
  const std::map<std::string, LaunchDifference> &differences() const;
  /// Of the launches so far, in order.
  const std::vector<LaunchPrint> &prints() const;
  /// Sees what the launches of kernels whose names begin with `kernel` leave in the int32 memory of an argument word.
  using Watcher = std::function<void(std::span<const int32_t> values)>;
  void watch(const std::string &kernel, size_t argument, Watcher watcher);
  /// Kernels of the plan that no launch ran.
  std::vector<std::string> unused() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Every launch within `float32` and 1e-2 (bfloat16) of the largest value of the row, integers and what only moves data
/// exactly; each kernel that ran has written something. Where a kernel rounds to bfloat16 on the way to a float32
/// result, a value at the border of two may be rounded to either, and 1e-2 is the bound for it too.
void expectLockstep(const LaunchReplay &replay, double float32 = 1e-5);

} // namespace mmc::test

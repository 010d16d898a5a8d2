// What the emulation finds: one Report per finding, with the line that issued it. Findings are kept, and passed to a
// listener at once; the launch goes on where it can (a race) and is abandoned where it cannot (a deadlock, an access
// outside memory).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mmc::emu {

enum class Finding : uint8_t {
  outOfBounds,
  misaligned,
  uninitialisedRead,
  race,              // two accesses that nothing orders, one of them a write
  missingProxyFence, // ordered for the generic proxy, but the async proxy may not see it
  fragmentInFlight,  // a register of a wgmma touched between issue and wait
  missingWgmmaFence, // a fragment written since the last wgmma.fence
  badDescriptor,     // wgmma or tensor map arguments that the hardware refuses or misreads
  mbarrierMisuse,    // over-arrival, transaction balance, not initialised, reuse, a waiter two phases late
  divergence,        // lanes of an aligned operation come from different places, or not at all
  registerRequest,   // setmaxnreg out of rule
  sharedMemory,      // more than the launch gave, or a bad window
  barrierMisuse,     // mixed counts, an arrival too many, a wait without an arrival
  deadlock,
  launch, // grid, block or cluster sizes, parameters
  other,
};
/// As printed: "race", "missing proxy fence", ...
const char *findingName(Finding finding);

struct Report {
  Finding finding = Finding::other;
  std::string message; // one sentence, lower case, with what was found against what was expected
  std::string kernel;
  uint32_t block[3] = {}, thread = 0; // thread: linear index in the block; ~0u where none
  std::string line;                   // "file.cu:12 in function" of what issued it; "module+0x12" without a symboliser
  std::string otherLine;              // of the other party, where there is one
  /// All of it in a few lines, as printed.
  std::string text() const;
};

struct Thread;

namespace reports {
/// Of `thread` (may be null), issued at the return address `source`. At most kMaxReports are kept, and one per
/// (finding, source).
void add(Finding finding, const Thread *thread, uint64_t source, std::string message, uint64_t otherSource = 0);
const std::vector<Report> &all();
std::vector<Report> take();
/// Called for each new report; replaces the former one.
void setListener(std::function<void(const Report &)> listener);
constexpr size_t kMaxReports = 64;
} // namespace reports

/// "file.cu:12 in function", by llvm-symbolizer-22 where it is installed; results are cached. Inlined frames of ptx/,
/// block/, copy/, mma/ and sync/ are skipped, so that the line is the kernel's.
std::string describeSource(uint64_t returnAddress);
/// True if both are calls from one source line: the compiler may have copied a call (loops, branches), so different
/// addresses alone say nothing. Without debug information everything passes for one line.
bool sameSource(uint64_t a, uint64_t b);

} // namespace mmc::emu

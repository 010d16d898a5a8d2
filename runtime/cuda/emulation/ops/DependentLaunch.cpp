// Implements griddepcontrol.
#include "runtime/cuda/emulation/ops/DependentLaunch.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <unordered_set>

namespace mmc::emu::dependentLaunch {

namespace {
struct Triggers {
  std::unordered_set<uint32_t> blocks; // by serial
};
} // namespace

void wait(Thread &thread) {
  scheduler::mayYield();
  const StreamClock *after = thread.block->launch->options.afterDependency;
  if (!after) return;
  thread.vc.setStreams(after);
  thread.va.setStreams(after);
}

void launchDependents(Thread &thread) {
  scheduler::mayYield();
  Launch &launch = *thread.block->launch;
  Triggers &triggers = stateIn<Triggers>(launch.dependencyState);
  triggers.blocks.insert(thread.block->serial);
  launch.counters.triggeredBlocks = triggers.blocks.size();
}

} // namespace mmc::emu::dependentLaunch

using namespace mmc::emu;

void mmcEmuGridDependencyWait() { dependentLaunch::wait(*scheduler::current()); }

void mmcEmuGridLaunchDependents() { dependentLaunch::launchDependents(*scheduler::current()); }

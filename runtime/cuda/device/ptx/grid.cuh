// Programmatic dependent launch (PTX ISA: griddepcontrol). sm_90.
//
// Invariant: what a kernel does before its wait touches nothing that the launches before it write, and writes nothing
// that they read.
#pragma once

#include "ptx/launch.cuh"

/// Waits until the launches that this one depends on have ended and their memory is visible: nothing before it may read
/// what they write.
template <u32 architecture = kArchitecture> MMC_DEVICE void gridDependencyWait() {
  static_assert(architecture >= 900, "griddepcontrol needs sm_90");
  asm volatile("griddepcontrol.wait;" ::: "memory");
}
/// Dependent launches may start when all blocks have called it or ended. Orders nothing: what follows may still be
/// written.
template <u32 architecture = kArchitecture> MMC_DEVICE void gridLaunchDependents() {
  static_assert(architecture >= 900, "griddepcontrol needs sm_90");
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

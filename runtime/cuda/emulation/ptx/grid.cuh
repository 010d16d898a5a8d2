// Host twin of device/ptx/grid.cuh.
#pragma once

#include "ptx/launch.cuh"

MMC_DEVICE void gridDependencyWait() { mmcEmuGridDependencyWait(); }
MMC_DEVICE void gridLaunchDependents() { mmcEmuGridLaunchDependents(); }

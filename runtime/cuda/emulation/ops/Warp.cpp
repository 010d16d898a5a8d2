#include "runtime/cuda/emulation/ops/Warp.h"

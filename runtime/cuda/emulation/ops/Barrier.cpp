#include "runtime/cuda/emulation/ops/Barrier.h"

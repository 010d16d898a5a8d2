#include "runtime/cuda/emulation/core/Memory.h"

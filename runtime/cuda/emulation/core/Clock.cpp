#include "runtime/cuda/emulation/core/Clock.h"

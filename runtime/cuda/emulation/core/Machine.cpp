#include "runtime/cuda/emulation/core/Machine.h"

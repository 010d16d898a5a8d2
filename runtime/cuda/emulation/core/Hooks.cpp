#include "runtime/cuda/emulation/core/Scheduler.h"

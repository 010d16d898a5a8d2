#include "runtime/cuda/emulation/core/Report.h"

#include "dialects/Tile/IR/Tile.h"

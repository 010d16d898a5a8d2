// The families in their order, which is that of files of vectors.
#include "lib/Silicon/Case.h"

namespace mmc::silicon {

std::vector<Case> allCases() {
  std::vector<Case> cases;
  for (const auto add : {addMathCases, addIntegerCases, addWarpCases, addMatrixCases, addMmaCases, addCopyCases,
                         addTensorCases, addSyncCases, addAtomicCases, addMemoryCases, addWgmmaCases})
    add(cases);
  return cases;
}

} // namespace mmc::silicon

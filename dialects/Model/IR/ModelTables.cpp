// The formulas behind tables. Original form: slopes 2^(-8 (h + 1) / H) for a power of two H, else the c slopes of the
// largest power of two c <= H followed by every second slope of 2 c; layer factor 1 - l / (L - 1) + 1e-5, one layer
// counting as l = 0. Native form: the first slope formula for every H and 1 - l / (L - 1 + 1e-5) + 1e-5.
#include "dialects/Model/IR/ModelTables.h"
#include "dialects/Model/IR/Model.h"

#include <cmath>

using namespace mlir;

static std::vector<double> powerSlopes(int64_t heads) {
  std::vector<double> slopes;
  for (int64_t h = 0; h < heads; ++h) slopes.push_back(std::exp2(-8.0 * double(h + 1) / double(heads)));
  return slopes;
}

static std::vector<double> originalSlopes(int64_t heads) {
  int64_t power = 1;
  while (power * 2 <= heads) power *= 2;
  std::vector<double> slopes = powerSlopes(power);
  std::vector<double> finer = powerSlopes(2 * power);
  for (int64_t h = 0; int64_t(slopes.size()) < heads; h += 2) slopes.push_back(finer[h]);
  return slopes;
}

std::vector<double> mmc::model::evaluateLightningRates(int64_t layers, int64_t heads, bool native) {
  std::vector<double> slopes = native ? powerSlopes(heads) : originalSlopes(heads);
  std::vector<double> rates;
  for (int64_t l = 0; l < layers; ++l) {
    double denominator = native ? double(layers - 1) + 1e-5 : double(layers - 1);
    double factor = (l == 0 ? 1.0 : 1.0 - double(l) / denominator) + 1e-5;
    for (double slope : slopes) rates.push_back(slope * factor);
  }
  return rates;
}

std::vector<double> mmc::model::evaluateTable(Attribute value, RankedTensorType type) {
  if (auto rates = dyn_cast<LightningRatesAttr>(value))
    return evaluateLightningRates(rates.getLayers(), rates.getHeads(), rates.getForm() == SlopeForm::native);
  std::vector<double> values;
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    if (!isa<FloatType>(dense.getElementType())) return values;
    for (APFloat element : dense.getValues<APFloat>()) {
      bool lossy = false;
      element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
      values.push_back(element.convertToDouble());
    }
  }
  return values;
}

// Makes models.
#include "runtime/src/Model.h"

namespace mmc::runtime {

Expected<std::shared_ptr<const Model>> makeModel(std::shared_ptr<const LoadedPlan> plan, RowSource &source,
                                                 uint32_t threads, const ProgressFunction &progress) {
  auto model = std::make_shared<Model>();
  model->plan = std::move(plan);
  const PlanTables &tables = model->tables();
  Expected<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(threads);
  if (!pool.ok()) return pool.status();
  Expected<WeightStore> store = WeightStore::create(tables);
  if (!store.ok()) return store.status();
  model->weights = std::move(*store);
  MMC_RETURN_IF_ERROR(fillWeights(tables, source, model->weights, **pool, progress));
  for (const Weight &weight : tables.weights) {
    std::vector<uint32_t> instances(weight.perLayer ? tables.layerCount : 0);
    for (uint32_t i = 0; i < weight.layers.size(); ++i) instances[weight.layers[i]] = i;
    model->instances.push_back(std::move(instances));
  }
  model->suppressedTokens = zeroEmbeddingRows(tables, model->weights);
  model->fingerprint = weightsFingerprint(tables, model->weights);
  return std::shared_ptr<const Model>(std::move(model));
}

} // namespace mmc::runtime

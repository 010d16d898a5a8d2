// Makes models. For a device the weights pass through the host in windows: so a model may be larger than the host's
// memory, and what can be read off the weights is read on the way.
#include "runtime/src/Model.h"

#include "runtime/cuda/session/DeviceModel.h"

namespace mmc::runtime {

static Status loadOnHost(Model &model, RowSource &source, ThreadPool &pool, const ProgressFunction &progress) {
  const PlanTables &plan = model.tables();
  Expected<WeightStore> store = WeightStore::create(plan);
  if (!store.ok()) return store.status();
  model.weights = std::move(*store);
  MMC_RETURN_IF_ERROR(fillWeights(plan, source, model.weights, pool, progress));
  model.suppressedTokens = zeroEmbeddingRows(plan, model.weights);
  WeightsFingerprint fingerprint;
  fingerprint.add(plan, model.weights);
  model.fingerprint = fingerprint.finish();
  return {};
}

/// Bytes of all instances without padding: what progress counts.
static uint64_t checkpointBytes(const Weight &weight) {
  uint64_t bytes = weight.instances() * weight.expertCount() * dtypeBytes(weight.layout.dtype);
  for (uint64_t extent : weight.shape) bytes *= extent;
  return bytes;
}

static Status loadOnDevice(Model &model, RowSource &source, ThreadPool &pool, const ProgressFunction &progress,
                           uint64_t stagingBytes) {
  const PlanTables &plan = model.tables();
  model.weights = WeightStore::placesOnly(plan);
  Expected<std::shared_ptr<cuda::DeviceModel>> device = cuda::DeviceModel::create(
      model.plan->deviceKernels, plan.weightsBytes(), model.plan->image.bytes(SegmentKind::constants));
  if (!device.ok()) return device.status();
  MMC_RETURN_IF_ERROR(checkSources(plan, source).status());
  uint64_t done = 0, total = 0;
  for (const Weight &weight : plan.weights) total += checkpointBytes(weight);
  WeightsFingerprint fingerprint;
  for (const WeightWindow &window : weightWindows(plan, stagingBytes)) {
    Expected<WeightStore> store = WeightStore::createWindow(plan, window);
    if (!store.ok()) return store.status();
    uint64_t inWindow = 0;
    MMC_RETURN_IF_ERROR(fillTensors(plan, source, *store, pool, [&](uint64_t filled, uint64_t) {
      inWindow = filled;
      return !progress || progress(done + filled, total);
    }));
    done += inWindow;
    if (store->holds(plan, plan.embeddingWeight, 0)) model.suppressedTokens = zeroEmbeddingRows(plan, *store);
    fingerprint.add(plan, *store);
    MMC_RETURN_IF_ERROR((*device)->copyWeights(window.begin, store->bytes()));
  }
  model.fingerprint = fingerprint.finish();
  model.device = std::move(*device);
  return {};
}

Expected<std::shared_ptr<const Model>> makeModel(std::shared_ptr<const LoadedPlan> plan, RowSource &source,
                                                 uint32_t threads, const ProgressFunction &progress,
                                                 uint64_t stagingBytes) {
  auto model = std::make_shared<Model>();
  model->plan = std::move(plan);
  const PlanTables &tables = model->tables();
  Expected<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(threads);
  if (!pool.ok()) return pool.status();
  MMC_RETURN_IF_ERROR(model->plan->deviceKernels ? loadOnDevice(*model, source, **pool, progress, stagingBytes)
                                                 : loadOnHost(*model, source, **pool, progress));
  for (const Weight &weight : tables.weights) {
    std::vector<uint32_t> instances(weight.perLayer ? tables.layerCount : 0);
    for (uint32_t i = 0; i < weight.layers.size(); ++i) instances[weight.layers[i]] = i;
    model->instances.push_back(std::move(instances));
  }
  return std::shared_ptr<const Model>(std::move(model));
}

} // namespace mmc::runtime

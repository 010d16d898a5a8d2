// The C ABI of plans and models.
#include "runtime/src/CApi.h"
#include "runtime/src/Errors.h"

using namespace mmc::runtime;

static const Status kBadStructSize(kBadArgument, "struct_size of the options is too small",
                                   "set it to sizeof the struct");

static Status makePlan(Expected<PlanImage> image, const mmc_plan_options *options, mmc_plan **plan) {
  if (!image.ok()) return image.status();
  mmc_plan_options given;
  if (!readOptions(options, given)) return kBadStructSize;
  const std::string digest = toHex(image->digest());
  Expected<std::shared_ptr<const LoadedPlan>> loaded =
      loadPlan(std::move(*image), {given.cpu_variant ? given.cpu_variant : "", given.no_host_code != 0,
                                   given.cuda_variant ? given.cuda_variant : ""});
  if (!loaded.ok()) return loaded.status();
  *plan = new mmc_plan{std::move(*loaded), digest};
  return {};
}

mmc_status *mmc_plan_load(const char *path, const mmc_plan_options *options, mmc_plan **plan) {
  if (!path || !plan) return nullArgument("path or plan is null");
  return guarded([&] { return makePlan(PlanImage::open(path), options, plan); });
}

mmc_status *mmc_plan_load_memory(const void *data, size_t size, const mmc_plan_options *options, mmc_plan **plan) {
  if ((!data && size) || !plan) return nullArgument("data or plan is null");
  return guarded([&] { return makePlan(PlanImage::copy({static_cast<const uint8_t *>(data), size}), options, plan); });
}

mmc_status *mmc_plan_verify(const char *path) {
  if (!path) return nullArgument("path is null");
  return guarded([&]() -> Status {
    Expected<PlanImage> image = PlanImage::open(path);
    if (!image.ok()) return image.status();
    return verifyPlan(*image).status();
  });
}

void mmc_plan_free(mmc_plan *plan) { delete plan; }

mmc_status *mmc_plan_get_info(const mmc_plan *plan, mmc_plan_info *info) {
  if (!plan || !info) return nullArgument("plan or info is null");
  return guarded([&]() -> Status {
    const size_t size = info->struct_size;
    if (size < sizeof size) return kBadStructSize;
    const PlanTables &tables = plan->loaded->tables;
    mmc_plan_info full{};
    full.struct_size = size;
    full.digest = plan->digest.c_str();
    full.producer = tables.producer.c_str();
    full.model = tables.model.c_str();
    full.target = tables.target.c_str();
    full.dtype = dtypeName(tables.dtype);
    full.cpu_variant = tables.variants[plan->loaded->variant].c_str();
    full.vocabulary = tables.vocabulary;
    full.layers = tables.layerCount;
    full.max_model_len = tables.maxModelLen;
    full.max_num_seqs = tables.maxNumSeqs;
    full.max_num_batched_tokens = tables.maxNumBatchedTokens;
    full.recurrence_block = tables.recurrenceBlock;
    full.page_tokens = tables.pageTokens;
    full.parameters_total = tables.parametersTotal;
    full.parameters_active = tables.parametersActive;
    full.weights_bytes = tables.weightsBytes();
    full.state_bytes_per_sequence = tables.stateBytesPerSequence();
    full.kv_bytes_per_token = tables.kvBytesPerToken();
    full.arena_bytes = tables.arenaBytes();
    full.stop_tokens = tables.stopTokens.data();
    full.stop_token_count = tables.stopTokens.size();
    std::memcpy(info, &full, std::min(size, sizeof full));
    return {};
  });
}

static Status makeModelHandle(mmc_plan *plan, RowSource &source, const mmc_weights_options &given, mmc_model **model) {
  ProgressFunction progress;
  if (given.progress)
    progress = [&](uint64_t done, uint64_t total) { return given.progress(given.progress_user, done, total) != 0; };
  Expected<std::shared_ptr<const Model>> made = makeModel(plan->loaded, source, given.threads, progress);
  if (!made.ok()) return made.status();
  *model = new mmc_model{std::move(*made)};
  return {};
}

mmc_status *mmc_model_load(mmc_plan *plan, const char *directory, const mmc_weights_options *options,
                           mmc_model **model) {
  if (!plan || !directory || !model) return nullArgument("plan, directory or model is null");
  return guarded([&]() -> Status {
    mmc_weights_options given;
    if (!readOptions(options, given)) return kBadStructSize;
    Expected<Checkpoint> checkpoint = Checkpoint::open(directory);
    if (!checkpoint.ok()) return checkpoint.status();
    return makeModelHandle(plan, *checkpointRows(*checkpoint), given, model);
  });
}

mmc_status *mmc_model_load_random(mmc_plan *plan, uint64_t seed, const mmc_weights_options *options,
                                  mmc_model **model) {
  if (!plan || !model) return nullArgument("plan or model is null");
  return guarded([&]() -> Status {
    mmc_weights_options given;
    if (!readOptions(options, given)) return kBadStructSize;
    return makeModelHandle(plan, *randomRows(seed), given, model);
  });
}

void mmc_model_free(mmc_model *model) { delete model; }

mmc_status *mmc_model_get_suppressed_tokens(const mmc_model *model, const int32_t **ids, size_t *count) {
  if (!model || !ids || !count) return nullArgument("model, ids or count is null");
  *ids = model->model->suppressedTokens.data();
  *count = model->model->suppressedTokens.size();
  return nullptr;
}

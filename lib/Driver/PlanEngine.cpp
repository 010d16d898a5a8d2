// Loads plans and weights, and steps a sequence; see PlanEngine.h.
#include "lib/Driver/PlanEngine.h"

#include "lib/Driver/Interrupt.h"

#include <charconv>

namespace mmc::driver {

Expected<WeightsChoice> parseWeights(const std::string &text) {
  WeightsChoice choice;
  if (text != "random" && !text.starts_with("random:")) {
    choice.folder = text;
    return choice;
  }
  choice.random = true;
  if (text == "random") return choice;
  const char *begin = text.data() + 7, *end = text.data() + text.size();
  auto [parsed, error] = std::from_chars(begin, end, choice.seed);
  if (error != std::errc() || parsed != end)
    return Status(kUsage, cat("--weights: found '", text, "', expected random:SEED with a number"),
                  "give --weights random:1, or a folder");
  return choice;
}

namespace {

template <typename Handle, void (*release)(Handle *)> struct Free {
  void operator()(Handle *handle) const { release(handle); }
};
template <typename Handle, void (*release)(Handle *)> using Owned = std::unique_ptr<Handle, Free<Handle, release>>;

class PlanEngine final : public Engine {
public:
  Status load(const PlanEngineOptions &options);
  Status restart() override;
  Expected<std::span<const float>> step(std::span<const int32_t> tokens, Rows rows) override;
  mmc_session *session() override { return context.get(); }

private:
  Status loadPlan(const PlanEngineOptions &options);
  Status loadWeights(const PlanEngineOptions &options);

  Owned<mmc_plan, mmc_plan_free> plan;
  Owned<mmc_model, mmc_model_free> model;
  Owned<mmc_session, mmc_session_free> context;
  Owned<mmc_sequence, mmc_sequence_free> sequence;
};

Status PlanEngine::loadPlan(const PlanEngineOptions &options) {
  mmc_plan_options planOptions = {};
  planOptions.struct_size = sizeof planOptions;
  planOptions.cpu_variant = options.cpuVariant.empty() ? nullptr : options.cpuVariant.c_str();
  planOptions.cuda_variant = options.cudaVariant.empty() ? nullptr : options.cudaVariant.c_str();
  planOptions.no_host_code = options.noHostCode;
  mmc_plan *loaded = nullptr;
  MMC_RETURN_IF_ERROR(takeStatus(
      options.bytes ? mmc_plan_load_memory(options.bytes->data(), options.bytes->size(), &planOptions, &loaded)
                    : mmc_plan_load(options.path.c_str(), &planOptions, &loaded)));
  plan.reset(loaded);
  mmc_plan_info info = {};
  info.struct_size = sizeof info;
  MMC_RETURN_IF_ERROR(takeStatus(mmc_plan_get_info(loaded, &info)));
  facts.digest = info.digest;
  facts.target = info.target;
  facts.dtype = info.dtype;
  facts.variant = info.cpu_variant;
  facts.vocabulary = info.vocabulary;
  facts.maxModelLen = info.max_model_len;
  facts.maxStepTokens = info.max_num_batched_tokens;
  facts.block = info.recurrence_block;
  facts.stopTokens.assign(info.stop_tokens, info.stop_tokens + info.stop_token_count);
  facts.threads = options.threads;
  return {};
}

Status PlanEngine::loadWeights(const PlanEngineOptions &options) {
  Progress progress(options.progress, "loading weights", true);
  mmc_weights_options weightsOptions = {};
  weightsOptions.struct_size = sizeof weightsOptions;
  weightsOptions.threads = options.threads;
  weightsOptions.progress = [](void *user, uint64_t done, uint64_t total) {
    static_cast<Progress *>(user)->update(done, total);
    return int(!wasInterrupted());
  };
  weightsOptions.progress_user = &progress;
  InterruptScope interruptible(nullptr);
  mmc_model *loaded = nullptr;
  const WeightsChoice &weights = options.weights;
  MMC_RETURN_IF_ERROR(takeStatus(weights.random
                                     ? mmc_model_load_random(plan.get(), weights.seed, &weightsOptions, &loaded)
                                     : mmc_model_load(plan.get(), weights.folder.c_str(), &weightsOptions, &loaded)));
  model.reset(loaded);
  const int32_t *ids = nullptr;
  size_t count = 0;
  MMC_RETURN_IF_ERROR(takeStatus(mmc_model_get_suppressed_tokens(loaded, &ids, &count)));
  facts.suppressed.assign(ids, ids + count);
  return {};
}

Status PlanEngine::load(const PlanEngineOptions &options) {
  MMC_RETURN_IF_ERROR(loadPlan(options));
  MMC_RETURN_IF_ERROR(loadWeights(options));
  mmc_session_options sessionOptions = {};
  sessionOptions.struct_size = sizeof sessionOptions;
  sessionOptions.threads = options.threads;
  sessionOptions.max_sequences = 1;
  sessionOptions.cuda_sync = options.cudaSync;
  sessionOptions.no_cuda_graphs = !options.cudaGraphs;
  mmc_session *created = nullptr;
  MMC_RETURN_IF_ERROR(takeStatus(mmc_session_create(model.get(), &sessionOptions, &created)));
  context.reset(created);
  return restart();
}

Status PlanEngine::restart() {
  sequence.reset();
  mmc_sequence *created = nullptr;
  MMC_RETURN_IF_ERROR(takeStatus(mmc_sequence_create(context.get(), &created)));
  sequence.reset(created);
  return {};
}

Expected<std::span<const float>> PlanEngine::step(std::span<const int32_t> tokens, Rows rows) {
  const mmc_logits wanted = rows == Rows::all ? MMC_LOGITS_ALL : rows == Rows::last ? MMC_LOGITS_LAST : MMC_LOGITS_NONE;
  const mmc_step_entry entry = {sequence.get(), tokens.data(), tokens.size(), wanted};
  const mmc_step step = {sizeof step, sizeof entry, &entry, 1};
  MMC_RETURN_IF_ERROR(takeStatus(mmc_session_step(context.get(), &step)));
  const float *logits = nullptr;
  size_t count = 0;
  MMC_RETURN_IF_ERROR(takeStatus(mmc_session_get_logits(context.get(), 0, &logits, &count)));
  return std::span<const float>(logits, count * facts.vocabulary);
}

} // namespace

Expected<std::unique_ptr<Engine>> makePlanEngine(const PlanEngineOptions &options) {
  auto engine = std::make_unique<PlanEngine>();
  MMC_RETURN_IF_ERROR(engine->load(options));
  return std::unique_ptr<Engine>(std::move(engine));
}

} // namespace mmc::driver

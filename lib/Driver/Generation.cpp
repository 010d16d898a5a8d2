// The generation loop; see Generation.h.
#include "lib/Driver/Generation.h"

#include "lib/Driver/Console.h"
#include "lib/Driver/Interrupt.h"

namespace mmc::driver {

Expected<uint32_t> chunkSize(const EngineInfo &info, uint32_t requested) {
  if (requested > info.maxStepTokens)
    return Status(
        kUsage,
        cat("--prefill-chunk: found ", requested, ", the plan takes at most ", info.maxStepTokens, " tokens in a step"),
        "give a smaller --prefill-chunk, or compile with a larger --max-num-batched-tokens");
  if (requested) return requested;
  return info.maxStepTokens < info.block ? info.maxStepTokens : info.maxStepTokens / info.block * info.block;
}

Expected<std::span<const float>> prefill(Engine &engine, std::span<const int32_t> tokens, uint32_t chunk,
                                         Engine::Rows rows, std::vector<float> *kept) {
  std::span<const float> logits;
  for (size_t begin = 0; begin < tokens.size(); begin += chunk) {
    MMC_RETURN_IF_ERROR(checkInterrupt());
    const size_t count = std::min<size_t>(chunk, tokens.size() - begin);
    const bool last = begin + count == tokens.size();
    auto stepped =
        engine.step(tokens.subspan(begin, count), last || rows == Engine::Rows::all ? rows : Engine::Rows::none);
    MMC_RETURN_IF_ERROR(stepped.status());
    logits = *stepped;
    if (kept) kept->insert(kept->end(), logits.begin(), logits.end());
  }
  return logits;
}

Expected<Generation> generate(Engine &engine, std::span<const int32_t> prompt, text::Sampler &sampler,
                              const GenerationOptions &options) {
  const EngineInfo &info = engine.info();
  if (prompt.size() > info.maxModelLen)
    return Status(kContextExceeded,
                  cat("the prompt has ", prompt.size(), " tokens, the longest sequence is ", info.maxModelLen));
  auto chunk = chunkSize(info, options.prefillChunk);
  MMC_RETURN_IF_ERROR(chunk.status());
  InterruptScope interruptible(engine.session());
  Generation result;
  const uint64_t limit = std::min<uint64_t>(options.maxTokens, info.maxModelLen - prompt.size());
  Stopwatch prefillWatch;
  auto logits = prefill(engine, prompt, *chunk, options.keepLogits ? Engine::Rows::all : Engine::Rows::last,
                        options.keepLogits ? &result.promptLogits : nullptr);
  MMC_RETURN_IF_ERROR(logits.status());
  result.prefillSeconds = prefillWatch.seconds();
  std::span<const float> row = logits->last(info.vocabulary);
  while (result.tokens.size() < limit) {
    MMC_RETURN_IF_ERROR(checkInterrupt());
    if (options.keepLogits) result.stepLogits.insert(result.stepLogits.end(), row.begin(), row.end());
    auto id = sampler.sample(row, result.tokens.size());
    MMC_RETURN_IF_TEXT_ERROR(id);
    result.tokens.push_back(*id);
    result.stopped = options.stop.contains(*id);
    if (options.onToken) MMC_RETURN_IF_ERROR(options.onToken(*id, result.stopped));
    if (result.stopped || result.tokens.size() == limit) break;
    Stopwatch decodeWatch;
    auto next = engine.step({&result.tokens.back(), 1}, Engine::Rows::last);
    MMC_RETURN_IF_ERROR(next.status());
    result.decodeSeconds += decodeWatch.seconds();
    ++result.decodeSteps;
    row = *next;
  }
  return result;
}

} // namespace mmc::driver

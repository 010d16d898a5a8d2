// From a prompt to tokens: prefill in chunks, then a token at a time.
#pragma once

#include "lib/Driver/Engine.h"
#include "lib/Text/Sampler.h"

#include <functional>

namespace mmc::driver {

struct GenerationOptions {
  uint64_t maxTokens = 128;
  uint32_t prefillChunk = 0; // 0: the largest multiple of the recurrence block that a step takes
  text::StopTokens stop;     // empty: nothing ends the sequence
  bool keepLogits = false;
  /// Called with each generated token, the stop token included, as soon as it is chosen. May be null.
  std::function<Status(int32_t id, bool isStop)> onToken;
};

struct Generation {
  std::vector<int32_t> tokens; // a stop token is the last
  bool stopped = false;        // by a stop token; else the length decided
  double prefillSeconds = 0, decodeSeconds = 0;
  uint64_t decodeSteps = 0;                    // steps timed by decodeSeconds
  std::vector<float> promptLogits, stepLogits; // with keepLogits: a row per prompt token, a row per generated token
};

/// Tokens of a prefill chunk; a failure names what is wrong with `requested`.
Expected<uint32_t> chunkSize(const EngineInfo &info, uint32_t requested);

/// Runs on the engine's fresh sequence. The first token is sampled from the prompt's last row. At most maxModelLen
/// tokens, prompt included.
Expected<Generation> generate(Engine &engine, std::span<const int32_t> prompt, text::Sampler &sampler,
                              const GenerationOptions &options);

/// Feeds tokens in chunks; `rows` applies to every chunk if all, else to the last one. The logits of the last step.
Expected<std::span<const float>> prefill(Engine &engine, std::span<const int32_t> tokens, uint32_t chunk,
                                         Engine::Rows rows, std::vector<float> *kept = nullptr);

} // namespace mmc::driver

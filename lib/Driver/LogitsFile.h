// The file of --dump-logits: safetensors with prompt_logits [T, V] and step_logits [G, V], float32.
#pragma once

#include "lib/Driver/Errors.h"
#include "runtime/src/FileIO.h"

#include <cstdint>
#include <span>

namespace mmc::driver {

/// Writes and commits `file`, which appears under its name whole or not at all. The spans are whole rows of
/// `vocabulary` floats.
Status writeLogits(runtime::OutputFile &file, uint32_t vocabulary, std::span<const float> prompt,
                   std::span<const float> steps);

} // namespace mmc::driver

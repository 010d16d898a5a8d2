// Writes the two tensors behind a safetensors header; offsets count from the header's end.
#include "lib/Driver/LogitsFile.h"

#include "lib/Driver/Console.h"

#include <bit>
#include <nlohmann/json.hpp>

namespace mmc::driver {

static_assert(std::endian::native == std::endian::little,
              "safetensors data is little-endian and written as it lies in memory");

Status writeLogits(runtime::OutputFile &file, uint32_t vocabulary, std::span<const float> prompt,
                   std::span<const float> steps) {
  const auto promptBytes = std::as_bytes(prompt), stepBytes = std::as_bytes(steps);
  nlohmann::ordered_json header;
  header["prompt_logits"] = {
      {"dtype", "F32"}, {"shape", {prompt.size() / vocabulary, vocabulary}}, {"data_offsets", {0, promptBytes.size()}}};
  header["step_logits"] = {{"dtype", "F32"},
                           {"shape", {steps.size() / vocabulary, vocabulary}},
                           {"data_offsets", {promptBytes.size(), promptBytes.size() + stepBytes.size()}}};
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // the data begins aligned
  const uint64_t length = text.size();
  text.insert(0, reinterpret_cast<const char *>(&length), sizeof length);
  auto bytes = [](auto span) { return std::span(reinterpret_cast<const uint8_t *>(span.data()), span.size()); };
  MMC_RETURN_IF_ERROR(file.write(bytes(std::span(text))));
  MMC_RETURN_IF_ERROR(file.write(bytes(promptBytes)));
  MMC_RETURN_IF_ERROR(file.write(bytes(stepBytes)));
  return file.commit();
}

} // namespace mmc::driver

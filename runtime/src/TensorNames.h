// Names of checkpoint tensors with the layer and the expert left open: "model.layers.{layer}.mlp.{expert}.w1.weight".
// Header-only and without dependencies: the importer and the interpreters spell them too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mmc::runtime {

inline constexpr std::string_view kLayerPlaceholder = "{layer}", kExpertPlaceholder = "{expert}";

/// `name` with every `placeholder` replaced by `number`.
inline std::string withNumber(std::string name, std::string_view placeholder, uint64_t number) {
  for (size_t at; (at = name.find(placeholder)) != std::string::npos;)
    name.replace(at, placeholder.size(), std::to_string(number));
  return name;
}

/// The name of one tensor: layer and expert filled in where the pattern has them.
inline std::string expandName(const std::string &pattern, uint64_t layer, uint64_t expert) {
  return withNumber(withNumber(pattern, kLayerPlaceholder, layer), kExpertPlaceholder, expert);
}

/// Checkpoints of native exports carry buffers of the lightning layers that follow from the configuration. The importer
/// compares them; nothing is bound to them.
inline constexpr std::string_view kDerivedTensors[] = {
    "model.layers.{layer}.self_attn.slope_rate", "model.layers.{layer}.self_attn.query_decay",
    "model.layers.{layer}.self_attn.key_decay", "model.layers.{layer}.self_attn.diagonal_decay"};

} // namespace mmc::runtime

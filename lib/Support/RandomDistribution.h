// The distribution of random weights (--weights random) by the shape of the checkpoint tensor: gains near one, matrices
// such that a product keeps unit variance. The interpreter and the plan writer share it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace mmc {

/// A weight is mean + scale * u with u uniform in [-1, 1); see runtime/src/RandomWeights.h.
struct RandomDistribution {
  float mean, scale;
};

/// `rank` and the last dimension of the tensor as the checkpoint would have it (one expert's).
inline RandomDistribution randomDistribution(std::size_t rank, int64_t lastDimension) {
  if (rank == 1) return {1.0f, 0.1f};
  return {0.0f, static_cast<float>(std::sqrt(3.0 / static_cast<double>(lastDimension)))};
}

} // namespace mmc

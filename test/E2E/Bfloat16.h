// What a bfloat16 plan must reach, on whatever target: the pooled error of its logits, and its greedy tokens.
#pragma once

#include "lib/Driver/ReferenceEngine.h"
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

namespace mmc::test {

/// The median relative L2 error over the golden positions of all cases of at most `mostTokens` tokens, prompts fed in
/// chunks (0: at once).
double pooledError(const TestModel &model, const Golden &golden, size_t chunk = 0, size_t mostTokens = SIZE_MAX);

/// The float64 model interpreter on a fixture; null after a failure, which is a test failure.
std::unique_ptr<driver::Engine> makeReference(const Golden &golden);

/// The model's first `most` greedy tokens are the golden ones, or part from them where the reference's two highest
/// logits are those two ids and nearer than 2 % of the largest.
void expectGreedy(const TestModel &model, const Golden &golden, driver::Engine &reference, size_t most = SIZE_MAX);

} // namespace mmc::test

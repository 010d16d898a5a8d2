// Small models of the family and ragged schedules, drawn from a seed: sizes that no released model has, so that no
// kernel can rely on the usual ones.
//
// The same seed gives the same model and schedule on every machine; a failing seed is a reproducer.
#pragma once

#include "test/E2E/Plans.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mmc::test {

/// Numbers from a seed, the same everywhere (the distributions of <random> are not).
class Draw {
public:
  explicit Draw(uint64_t seed) : key(seed) {}
  /// Uniform in [low, high].
  int64_t between(int64_t low, int64_t high);
  /// Uniform in [low, high), a multiple of 1/1024 of the range.
  double real(double low, double high);
  bool chance(double probability) { return real(0, 1) < probability; }
  template <typename T> T of(std::initializer_list<T> list) {
    return list.begin()[between(0, int64_t(list.size()) - 1)];
  }

private:
  uint64_t key, counter = 0;
};

struct RandomModel {
  uint64_t seed = 0;
  bool native = false, postnorm = true;
  int64_t layers = 1, hidden = 64, intermediate = 96, heads = 4, kvHeads = 2, headDim = 32, rotaryDim = 16, experts = 4,
          topK = 2, vocabulary = 320;
  double ropeTheta = 1e4, normEps = 1e-5;
  std::vector<int> kinds;     ///< per layer: 0 lightning, 1 softmax
  std::vector<double> scales; ///< alpha and beta of softmax, lightning, mlp
  std::string weightType = "float32";
  PlanOptions plan; ///< how it is compiled

  /// The text of config.json.
  std::string config() const;
  /// One line for messages.
  std::string summary() const;
};

RandomModel drawModel(uint64_t seed);

/// A chunk of a prompt: ids [begin, begin + count) of sequence `sequence`.
struct RaggedEntry {
  size_t sequence, begin, count;
};

/// Sequences that start and end at different steps, and share slots: at most `slots` are alive at a time.
struct Schedule {
  uint32_t slots = 1;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<RaggedEntry>> steps;
};

Schedule drawSchedule(uint64_t seed, int64_t vocabulary);

/// Runs a schedule; all rows of logits of each sequence. A sequence is created at its first entry and freed after its
/// last token.
std::vector<std::vector<float>> runSchedule(const TestModel &model, const Schedule &schedule, uint32_t threads = 0);

/// A folder that is removed at the end, with the files that were written into it.
class Folder {
public:
  Folder();
  ~Folder();
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  /// Writes a file; returns its path.
  std::string write(const std::string &name, std::string_view contents) const;
  const std::string &path() const { return folder; }

private:
  std::string folder;
};

} // namespace mmc::test

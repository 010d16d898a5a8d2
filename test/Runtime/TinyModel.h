// A model small enough to write by hand, for tests of the runtime without the compiler: 48 tokens, width 8, five layers
// of two kinds (a recurrence with a state slot, and a paged cache with two experts), the kernels of kernels.c, and the
// same mathematics again in plain C++.
//
// Everything is data that a test may change before it builds a plan from it.
#pragma once

#include "runtime/src/Model.h"
#include "runtime/src/PlanFile.h"
#include "runtime/src/Session.h"

#include <chrono>
#include <gtest/gtest.h>
#include <map>

namespace mmc::test {

using namespace mmc::runtime;

inline constexpr uint32_t kWidth = 8, kVocabulary = 48, kPageTokens = 4, kPagesPerSequence = 16, kMaxModelLen = 64,
                          kLayers = 5;
inline constexpr uint32_t kMaxSeqs = 4, kMaxTokens = 32;

/// The tables of a correct plan.
PlanTables tinyTables();
/// Takes the descriptions of the kernels and the branches away, as in plans of before them: what launches bind is then
/// not compared.
void undescribe(PlanTables &tables);
/// The host object that the build made from kernels.c, with or without records; and the constants segment.
std::vector<uint8_t> tinyObject(bool records = true);
std::vector<uint8_t> tinyConstants();
/// The metadata segment of tables, correct or not.
std::vector<uint8_t> encodeTables(const PlanTables &tables);
/// A plan file of these tables and the tiny model's other segments; undescribed kernels get the object without records.
std::vector<uint8_t> tinyPlan(const PlanTables &tables = tinyTables());

/// Loads a plan from memory and draws its weights; stops the test where that fails.
std::shared_ptr<const LoadedPlan> loadTiny(const std::vector<uint8_t> &file = tinyPlan());
std::shared_ptr<const Model> tinyModel(uint64_t seed = 1);
std::unique_ptr<Session> tinySession(std::shared_ptr<const Model> model, SessionOptions options = {.threads = 2});

/// What the model computes for one sequence, token after token, without slots, pages or batches: the logits after each
/// token.
std::vector<std::vector<float>> reference(uint64_t seed, const std::vector<int32_t> &tokens);

/// A step of one sequence; returns the rows of logits.
std::vector<std::vector<float>> runStep(Session &session, Sequence *sequence, const std::vector<int32_t> &tokens,
                                        Logits logits = Logits::all);
/// The rows of an entry of the last step.
std::vector<std::vector<float>> rowsOf(const Session &session, size_t entry);
/// `count` ids, different for each seed.
std::vector<int32_t> tokensOf(uint32_t seed, size_t count);

/// A folder of the test's own, removed with everything in it at the end.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string &path() const { return folder; }
  std::string file(const std::string &name) const { return folder + "/" + name; }
  std::string write(const std::string &name, const std::string &bytes) const;
  std::string write(const std::string &name, const std::vector<uint8_t> &bytes) const;

private:
  std::string folder;
};

/// A safetensors file: header text and data.
std::string safetensors(const std::string &header, const std::string &data);

/// Fails unless `status` is of this class, and its texts contain all of `words`; a hint and a message must be there.
void expectFailure(const Status &status, StatusCode code, const std::vector<std::string> &words);

/// Runs a function that reads `fileBytes` of hostile input: it must return within a
/// second of processor time, and memory must not grow by
/// more than twice the file and 16 MiB. Memory is not measured under a sanitizer.
template <typename Function> auto bounded(uint64_t fileBytes, Function function);

/// Peak of the process's memory since `reset`, in bytes.
class PeakMemory {
public:
  PeakMemory();
  uint64_t growth() const;

private:
  uint64_t before;
};
bool sanitized();
/// Processor time of the process: limits on it hold on a busy machine too. What waits instead of working, CTest's limit
/// ends.
double processorSeconds();

template <typename Function> auto bounded(uint64_t fileBytes, Function function) {
  PeakMemory memory;
  const double begin = processorSeconds();
  auto result = function();
  EXPECT_LT(processorSeconds() - begin, sanitized() ? 10 : 1);
  if (!sanitized()) {
    EXPECT_LE(memory.growth(), 2 * fileBytes + (uint64_t(16) << 20));
  }
  return result;
}

} // namespace mmc::test

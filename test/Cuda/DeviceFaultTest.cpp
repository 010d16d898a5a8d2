// Whichever call of the driver fails, from opening it to the step after a restored snapshot: a typed error, nothing
// left behind, and the next load works.
#include "runtime/cuda/session/LoadedKernels.h"
#include "test/Cuda/TinyDevice.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace mmc::test {

namespace {

size_t openFiles() {
  size_t count = 0;
  for ([[maybe_unused]] auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

size_t mappedModules() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("mmc-emulated-module") != std::string::npos;
  return count;
}

Status stepped(Session &session, Sequence *sequence, std::span<const int32_t> tokens,
               std::vector<std::vector<float>> &answers) {
  const StepEntry entry{sequence, tokens.data(), tokens.size(), Logits::all};
  MMC_RETURN_IF_ERROR(session.step({&entry, 1}));
  for (std::vector<float> &row : rowsOf(session, 0)) answers.push_back(std::move(row));
  return {};
}

/// A load, a prompt, a token, a snapshot, and a token after restoring it, beside which another sequence begins. Hands
/// back what failed first.
Status program(const std::vector<uint8_t> &file, const std::vector<int32_t> &tokens, bool graphs,
               std::vector<std::vector<float>> &answers) {
  Expected<std::shared_ptr<const LoadedPlan>> plan = loadPlan(std::move(*PlanImage::copy(file)), {});
  if (!plan.ok()) return plan.status();
  Expected<std::shared_ptr<const Model>> model = makeModel(*plan, *randomRows(1), 1, {});
  if (!model.ok()) return model.status();
  Expected<std::unique_ptr<Session>> session = Session::create(*model, {.maxSequences = 2, .cudaGraphs = graphs});
  if (!session.ok()) return session.status();
  Expected<Sequence *> first = (*session)->createSequence();
  if (!first.ok()) return first.status();
  const std::span<const int32_t> all(tokens);
  MMC_RETURN_IF_ERROR(stepped(**session, *first, all.first(tokens.size() - 2), answers));
  MMC_RETURN_IF_ERROR(stepped(**session, *first, all.subspan(tokens.size() - 2, 1), answers));
  std::vector<uint8_t> bytes;
  MMC_RETURN_IF_ERROR((*session)->snapshot(**first, [&](std::span<const uint8_t> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return Status();
  }));
  (*session)->destroySequence(*first);
  size_t at = 0;
  Expected<Sequence *> second = (*session)->restore(bytes.size(), [&](std::span<uint8_t> to) {
    std::copy_n(bytes.begin() + ptrdiff_t(at), to.size(), to.begin());
    at += to.size();
    return Status();
  });
  if (!second.ok()) return second.status();
  const Expected<Sequence *> beside = (*session)->createSequence();
  if (!beside.ok()) return beside.status();
  const StepEntry entries[] = {{*second, &all.back(), 1, Logits::all}, {*beside, all.data(), 2, Logits::none}};
  MMC_RETURN_IF_ERROR((*session)->step(entries));
  answers.push_back(rowsOf(**session, 0).front());
  return {};
}

/// The emulated driver has no context, no module is mapped, no file is open that was not.
void expectNothingLeft(size_t files) {
  auto driver = cuda::openDriverFor(kTargetEmulation);
  ASSERT_TRUE(driver.ok()) << driver.status().text();
  cuda::Context context = nullptr;
  size_t free = 0, total = 1;
  ASSERT_EQ((*driver)->devicePrimaryCtxRetain(&context, 0), cuda::Result::success);
  ASSERT_EQ((*driver)->ctxSetCurrent(context), cuda::Result::success);
  EXPECT_EQ((*driver)->memGetInfo(&free, &total), cuda::Result::success);
  EXPECT_EQ(free, total);
  EXPECT_EQ((*driver)->ctxSetCurrent(nullptr), cuda::Result::success);
  // The last one to hold it: another release is refused.
  EXPECT_EQ((*driver)->devicePrimaryCtxRelease(0), cuda::Result::success);
  EXPECT_NE((*driver)->devicePrimaryCtxRelease(0), cuda::Result::success);
  EXPECT_EQ(mappedModules(), 0u);
  EXPECT_EQ(openFiles(), files);
}

void sweep(bool graphs) {
  const std::vector<uint8_t> file = devicePlan(mappedTables());
  const std::vector<int32_t> tokens = tokensOf(1, 9);
  const std::vector<std::vector<float>> expected = reference(1, tokens);
  auto run = [&](std::vector<std::vector<float>> &answers) { return program(file, tokens, graphs, answers); };
  std::vector<std::vector<float>> answers;
  ASSERT_TRUE(run(answers).ok());
  ASSERT_EQ(answers, expected);
  const size_t files = openFiles();
  auto driver = cuda::openDriverFor(kTargetEmulation);
  ASSERT_TRUE(driver.ok()) << driver.status().text();
  std::set<std::string> kinds, phases;
  bool logitsFailed = false;
  int failed = 0, fault = 1;
  for (;; ++fault) {
    SCOPED_TRACE("call " + std::to_string(fault));
    setenv("MMC_EMU_FAULT", std::to_string(fault).c_str(), 1);
    answers.clear();
    const Status status = run(answers);
    int count = 0;
    if (status.ok() && (*driver)->deviceGetCount(&count) != cuda::Result::success) break; // the call after the last
    unsetenv("MMC_EMU_FAULT");
    if (status.ok()) { // a release failed, or putting the caller's context back: nobody to tell
      EXPECT_EQ(answers, expected);
    } else {
      ++failed;
      expectFailure(status, status.code(), {"cu", " failed: CUDA_ERROR_"});
      kinds.insert(status.identifier());
      phases.insert(status.message().substr(0, status.message().find(' ')));
      logitsFailed |= status.message().find("page-locked memory for logits") != std::string::npos;
    }
    expectNothingLeft(files);
    if (testing::Test::HasFailure()) return;
  }
  unsetenv("MMC_EMU_FAULT");
  answers.clear();
  ASSERT_TRUE(run(answers).ok());
  EXPECT_EQ(answers, expected);
  std::printf("%d of %d calls end in an error\n", failed, fault - 1);
  EXPECT_GT(failed, 100);
  EXPECT_LT(failed, fault - 1);
  EXPECT_EQ(kinds, (std::set<std::string>{"MMC-E0703", "MMC-E0704"}));
  EXPECT_TRUE(logitsFailed);
  for (const char *phase : {"loading", "looking", "asking", "allocating", "copying", "clearing", "launch", "step",
                            "making", "forking", "joining", "encoding"})
    EXPECT_TRUE(phases.count(phase)) << phase;
  for (const char *phase : {"beginning", "capturing"}) EXPECT_EQ(phases.count(phase), size_t(graphs)) << phase;
}

TEST(DeviceFault, WhicheverCallFails) {
  inEmulation({{"MMC_EMU_CHECKS", "off"}}, [] { sweep(true); });
}

TEST(DeviceFault, WhicheverCallFailsWithoutGraphs) {
  inEmulation({{"MMC_EMU_CHECKS", "off"}}, [] { sweep(false); });
}

} // namespace

} // namespace mmc::test

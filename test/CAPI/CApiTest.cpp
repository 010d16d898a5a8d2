// The C interface's rules: statuses, struct sizes, null arguments, lifetimes, cancelling, files; through the C++
// wrapper where it helps.
#include "mmc/mmc.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace {

void expectFailure(mmc_status *status, mmc_status_code code, const std::string &word) {
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(mmc_status_get_code(status), code) << mmc_status_get_message(status);
  EXPECT_TRUE(std::string(mmc_status_get_identifier(status)).starts_with("MMC-E0"));
  EXPECT_NE(std::string(mmc_status_get_message(status)).find(word), std::string::npos)
      << mmc_status_get_message(status);
  EXPECT_STRNE(mmc_status_get_hint(status), "");
  mmc_status_free(status);
}

struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mmc-capi-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

const std::vector<int32_t> kPrompt = {5, 17, 3, 1, 40};

std::vector<float> run(mmc::Session &session, mmc::Sequence &sequence, std::span<const int32_t> tokens) {
  session.step({{sequence, tokens, MMC_LOGITS_ALL}});
  const auto logits = session.logits(0, 48);
  return {logits.begin(), logits.end()};
}

TEST(CApiTest, NullStatusIsOk) {
  EXPECT_EQ(mmc_status_get_code(nullptr), MMC_STATUS_OK);
  EXPECT_STREQ(mmc_status_get_message(nullptr), "");
  mmc_status_free(nullptr);
  mmc_plan_free(nullptr);
  mmc_model_free(nullptr);
  mmc_session_free(nullptr);
  mmc_sequence_free(nullptr);
  mmc_session_cancel(nullptr);
}

TEST(CApiTest, NullArgumentsAreUsageErrors) {
  mmc_plan *plan = nullptr;
  expectFailure(mmc_plan_load(nullptr, nullptr, &plan), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_plan_load(MMC_TINY_PLAN, nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_plan_load_memory(nullptr, 1, nullptr, &plan), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_plan_verify(nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_plan_get_info(nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_model_load(nullptr, nullptr, nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_session_create(nullptr, nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_sequence_create(nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_session_step(nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_session_get_logits(nullptr, 0, nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_sequence_snapshot_file(nullptr, nullptr), MMC_STATUS_USAGE, "null");
  expectFailure(mmc_sequence_restore_file(nullptr, nullptr, nullptr), MMC_STATUS_USAGE, "null");
}

TEST(CApiTest, FailuresLeaveOutputsAlone) {
  auto *const marker = reinterpret_cast<mmc_plan *>(0x10);
  mmc_plan *plan = marker;
  expectFailure(mmc_plan_load("/nowhere", nullptr, &plan), MMC_STATUS_FAILED, "/nowhere");
  EXPECT_EQ(plan, marker);
  expectFailure(mmc_plan_load_memory("x", 1, nullptr, &plan), MMC_STATUS_INTEGRITY, "1 bytes");
  expectFailure(mmc_plan_load_memory(nullptr, 0, nullptr, &plan), MMC_STATUS_INTEGRITY, "0 bytes");
}

TEST(CApiTest, OlderAndNewerStructsAreUnderstood) {
  mmc_plan *plan = nullptr;
  struct Newer {
    mmc_plan_options options;
    void *field;
  } newer = {{sizeof(Newer), nullptr, 0, nullptr}, nullptr};
  mmc::check(mmc_plan_load(MMC_TINY_PLAN, &newer.options, &plan));
  // A caller whose info ended before `vocabulary` gets nothing beyond it.
  mmc_plan_info info;
  std::memset(&info, 0x55, sizeof info);
  info.struct_size = offsetof(mmc_plan_info, vocabulary);
  mmc::check(mmc_plan_get_info(plan, &info));
  EXPECT_STREQ(info.target, "cpu");
  EXPECT_EQ(info.vocabulary, 0x55555555u);
  info.struct_size = 1;
  expectFailure(mmc_plan_get_info(plan, &info), MMC_STATUS_USAGE, "struct_size");
  mmc_plan_options none{};
  mmc_plan *other = nullptr;
  expectFailure(mmc_plan_load(MMC_TINY_PLAN, &none, &other), MMC_STATUS_USAGE, "struct_size");
  mmc_plan_free(plan);
}

TEST(CApiTest, PlanOptions) {
  EXPECT_STREQ(mmc::Plan(MMC_TINY_PLAN, "x86-64-v3").info().cpu_variant, "x86-64-v3");
  try {
    mmc::Plan(MMC_TINY_PLAN, "sse");
    FAIL();
  } catch (const mmc::Error &error) {
    EXPECT_EQ(error.code(), MMC_STATUS_INCOMPATIBLE);
    EXPECT_FALSE(error.identifier().empty());
  }
  try {
    mmc::Plan(MMC_TINY_PLAN, "", true);
    FAIL();
  } catch (const mmc::Error &error) {
    EXPECT_EQ(error.code(), MMC_STATUS_INCOMPATIBLE);
    EXPECT_NE(std::string(error.what()).find("host code"), std::string::npos);
  }
}

TEST(CApiTest, MemoryAndFileGiveTheSamePlan) {
  std::ifstream in(MMC_TINY_PLAN, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
  mmc_plan *plan = nullptr;
  mmc::check(mmc_plan_load_memory(bytes.data(), bytes.size(), nullptr, &plan));
  mmc_plan_info info{};
  info.struct_size = sizeof info;
  mmc::check(mmc_plan_get_info(plan, &info));
  EXPECT_STREQ(info.digest, mmc::Plan(MMC_TINY_PLAN).info().digest);
  mmc_plan_free(plan);
}

TEST(CApiTest, WeightsMustExistAndMayBeCancelled) {
  Folder folder;
  mmc::Plan plan(MMC_TINY_PLAN);
  mmc_model *model = nullptr;
  expectFailure(mmc_model_load(plan.get(), folder.path.c_str(), nullptr, &model), MMC_STATUS_FAILED, "neither");
  std::ofstream(folder.path + "/model.safetensors") << "<html>";
  expectFailure(mmc_model_load(plan.get(), folder.path.c_str(), nullptr, &model), MMC_STATUS_INTEGRITY, "web page");
  std::ofstream(folder.path + "/model.safetensors", std::ios::binary) << std::string("\2\0\0\0\0\0\0\0{}", 10);
  expectFailure(mmc_model_load(plan.get(), folder.path.c_str(), nullptr, &model), MMC_STATUS_INCOMPATIBLE, "'embed'");
  try {
    mmc::Model(plan, uint64_t(1), 2, [](uint64_t, uint64_t) { return false; });
    FAIL();
  } catch (const mmc::Error &error) {
    EXPECT_EQ(error.code(), MMC_STATUS_CANCELLED);
  }
}

TEST(CApiTest, StepErrorsAndStructSizes) {
  mmc::Plan plan(MMC_TINY_PLAN);
  mmc::Model model(plan, uint64_t(1));
  mmc_session_options options{};
  options.threads = 1;
  mmc::Session session(model, options);
  mmc::Sequence sequence(session);
  mmc_step_entry entry{sequence.get(), kPrompt.data(), kPrompt.size(), MMC_LOGITS_LAST};
  mmc_step step{sizeof step, 8, &entry, 1};
  expectFailure(mmc_session_step(session.get(), &step), MMC_STATUS_USAGE, "entry_size");
  step = {sizeof step, sizeof entry, nullptr, 1};
  expectFailure(mmc_session_step(session.get(), &step), MMC_STATUS_USAGE, "entries");
  step = {sizeof step, sizeof entry, &entry, SIZE_MAX};
  expectFailure(mmc_session_step(session.get(), &step), MMC_STATUS_CAPACITY, "max_num_seqs");
  step = {sizeof step, sizeof entry, nullptr, 0};
  expectFailure(mmc_session_step(session.get(), &step), MMC_STATUS_USAGE, "no entries");
  entry.logits = mmc_logits(77);
  step = {sizeof step, sizeof entry, &entry, 1};
  expectFailure(mmc_session_step(session.get(), &step), MMC_STATUS_USAGE, "logits");
  const float *logits = nullptr;
  size_t rows = 0;
  expectFailure(mmc_session_get_logits(session.get(), 0, &logits, &rows), MMC_STATUS_USAGE, "entry is 0");
  EXPECT_EQ(run(session, sequence, kPrompt).size(), kPrompt.size() * 48);
}

TEST(CApiTest, ObjectsMayBeFreedInAnyOrder) {
  std::vector<float> expected;
  {
    mmc::Plan plan(MMC_TINY_PLAN);
    mmc::Model model(plan, uint64_t(1));
    mmc::Session session(model);
    mmc::Sequence sequence(session);
    expected = run(session, sequence, kPrompt);
  }
  auto plan = std::make_unique<mmc::Plan>(MMC_TINY_PLAN);
  auto model = std::make_unique<mmc::Model>(*plan, uint64_t(1));
  plan.reset();
  auto session = std::make_unique<mmc::Session>(*model);
  model.reset();
  mmc::Sequence sequence(*session);
  EXPECT_EQ(run(*session, sequence, kPrompt), expected);
  session.reset();
  EXPECT_EQ(sequence.position(), kPrompt.size());
}

TEST(CApiTest, SnapshotFilesAreWrittenWholeOrNotAtAll) {
  Folder folder;
  mmc::Plan plan(MMC_TINY_PLAN);
  mmc::Model model(plan, uint64_t(1));
  mmc::Session session(model);
  mmc::Sequence sequence(session);
  run(session, sequence, kPrompt);
  const std::string path = folder.path + "/s";
  sequence.snapshot(path);
  mmc::Sequence copy(session, path);
  const int32_t next[] = {11};
  EXPECT_EQ(run(session, sequence, next), run(session, copy, next));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
  expectFailure(mmc_sequence_snapshot_file(sequence.get(), (folder.path + "/none/s").c_str()), MMC_STATUS_FAILED,
                "none/s");
  std::vector<uint8_t> small(10);
  expectFailure(mmc_sequence_snapshot(sequence.get(), small.data(), small.size()), MMC_STATUS_CAPACITY, "10 bytes");
  mmc_sequence *none = nullptr;
  expectFailure(mmc_sequence_restore(session.get(), small.data(), small.size(), &none), MMC_STATUS_INTEGRITY,
                "10 bytes");
  expectFailure(mmc_sequence_restore_file(session.get(), "/nowhere", &none), MMC_STATUS_FAILED, "/nowhere");
  std::filesystem::resize_file(path, 100);
  expectFailure(mmc_sequence_restore_file(session.get(), path.c_str(), &none), MMC_STATUS_INTEGRITY, "100 bytes");
}

TEST(CApiTest, CancelStopsTheNextStep) {
  mmc::Plan plan(MMC_TINY_PLAN);
  mmc::Model model(plan, uint64_t(1));
  mmc::Session session(model);
  mmc::Sequence sequence(session);
  session.cancel();
  EXPECT_THROW(run(session, sequence, kPrompt), mmc::Error);
  EXPECT_EQ(run(session, sequence, kPrompt).size(), kPrompt.size() * 48) << "it had not begun";
}

TEST(CApiTest, AServicesThreadsAreUsed) {
  mmc::Plan plan(MMC_TINY_PLAN);
  mmc::Model model(plan, uint64_t(1));
  static int regions;
  regions = 0;
  mmc_session_options options{};
  options.threads = 4;
  options.parallel_user = &regions;
  options.parallel_for = [](void *user, uint32_t workers, mmc_parallel_work work, void *context) {
    ++*static_cast<int *>(user);
    for (uint32_t i = 0; i < workers; ++i) work(context, i);
  };
  mmc::Session own(model), theirs(model, options);
  mmc::Sequence a(own), b(theirs);
  EXPECT_EQ(run(own, a, kPrompt), run(theirs, b, kPrompt));
  EXPECT_GT(regions, 0);
}

} // namespace

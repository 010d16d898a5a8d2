// The content cache by itself: what is kept is found under its key alone, damage is recognised and removed, and a
// folder that cannot be written is a failure that says so.
#include "lib/Target/CUDA/Toolchain/Cache.h"

#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

#include <sys/stat.h>
#include <thread>

using namespace mmc::cuda;
using namespace mmc::cuda::test;

namespace {

mmc::runtime::Digest keyOf(uint8_t number) {
  mmc::runtime::Digest key = {};
  key[0] = number;
  return key;
}

const CompiledKernel kKernel = {std::string("\x7f"
                                            "ELF\0image",
                                            10),
                                "a log\n"};

TEST(KernelCache, WhatIsKeptIsFound) {
  Folder folder;
  const KernelCache cache(folder / "new/cache");
  EXPECT_FALSE(cache.find(keyOf(1)));
  ASSERT_TRUE(cache.keep(keyOf(1), kKernel).ok());
  ASSERT_TRUE(cache.keep(keyOf(2), {"", ""}).ok());
  const auto found = cache.find(keyOf(1)), empty = cache.find(keyOf(2));
  ASSERT_TRUE(found && empty);
  EXPECT_EQ(found->bytes, kKernel.bytes);
  EXPECT_EQ(found->log, kKernel.log);
  EXPECT_EQ(empty->bytes + empty->log, "");
  EXPECT_FALSE(cache.find(keyOf(3)));
  EXPECT_FALSE(KernelCache("").find(keyOf(1)));
  EXPECT_TRUE(KernelCache("").keep(keyOf(1), kKernel).ok());
}

TEST(KernelCache, NothingTemporaryRemains) {
  Folder folder;
  const KernelCache cache(folder.path);
  ASSERT_TRUE(cache.keep(keyOf(1), kKernel).ok());
  ASSERT_TRUE(cache.keep(keyOf(1), kKernel).ok());
  EXPECT_EQ(filesBelow(folder.path).size(), 1u);
}

TEST(KernelCache, EveryDamageIsRecognisedAndRemoved) {
  Folder folder;
  const KernelCache cache(folder.path);
  ASSERT_TRUE(cache.keep(keyOf(1), kKernel).ok());
  const std::string path = filesBelow(folder.path).at(0), good = readFile(path);
  ASSERT_EQ(good.size(), 8 + 32 + 32 + 8 + kKernel.log.size() + kKernel.bytes.size());
  const auto expectRefused = [&](const std::string &content, const std::string &what) {
    writeFile(path, content);
    EXPECT_FALSE(cache.find(keyOf(1))) << what;
    EXPECT_FALSE(std::filesystem::exists(path)) << what;
  };
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ 0x10);
    expectRefused(bad, "byte " + std::to_string(i));
    expectRefused(good.substr(0, i), "first " + std::to_string(i) + " bytes");
  }
  expectRefused(good + "x", "longer");
  writeFile(path, good);
  EXPECT_TRUE(cache.find(keyOf(1)));
}

TEST(KernelCache, AFileUnderAnotherNameIsRefused) {
  Folder folder;
  const KernelCache cache(folder.path);
  ASSERT_TRUE(cache.keep(keyOf(1), kKernel).ok());
  const std::string one = filesBelow(folder.path).at(0);
  ASSERT_TRUE(cache.keep(keyOf(2), {"other", ""}).ok());
  for (const std::string &path : filesBelow(folder.path))
    if (path != one) std::filesystem::copy_file(one, path, std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(cache.find(keyOf(2)));
  EXPECT_TRUE(cache.find(keyOf(1)));
}

TEST(KernelCache, AFolderThatCannotBeMadeIsAFailure) {
  Folder folder;
  writeFile(folder / "file", "");
  const KernelCache cache(folder / "file/cache");
  EXPECT_FALSE(cache.find(keyOf(1)));
  const Status status = cache.keep(keyOf(1), kKernel);
  EXPECT_EQ(status.code(), StatusCode::failed);
  EXPECT_THAT(status.message(), HasSubstr("cannot make the folder of " + folder.path + "/file/cache"));
}

TEST(KernelCache, WritersOfOneEntryLeaveAWholeOne) {
  Folder folder;
  const KernelCache cache(folder.path);
  const CompiledKernel large = {std::string(1 << 20, 'x'), std::string(1 << 16, 'y')};
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(cache.keep(keyOf(1), large).ok());
        const auto found = cache.find(keyOf(1));
        EXPECT_TRUE(found && found->bytes == large.bytes && found->log == large.log);
      }
    });
  for (std::thread &writer : writers) writer.join();
  EXPECT_EQ(filesBelow(folder.path).size(), 1u);
}

TEST(KernelCache, TheEnvironmentNamesTheFolder) {
  const Setting home("HOME", "/nobody");
  const Setting xdg("XDG_CACHE_HOME", std::nullopt), own("MMC_CACHE_DIR", std::nullopt);
  EXPECT_EQ(KernelCache::defaultFolder(), "/nobody/.cache/mmc");
  {
    const Setting relative("XDG_CACHE_HOME", "caches");
    EXPECT_EQ(KernelCache::defaultFolder(), "/nobody/.cache/mmc");
  }
  const Setting absolute("XDG_CACHE_HOME", "/var/caches");
  EXPECT_EQ(KernelCache::defaultFolder(), "/var/caches/mmc");
  const Setting named("MMC_CACHE_DIR", "here");
  EXPECT_EQ(KernelCache::defaultFolder(), "here");
  const Setting empty("MMC_CACHE_DIR", ""), noXdg("XDG_CACHE_HOME", std::nullopt), noHome("HOME", std::nullopt);
  EXPECT_EQ(KernelCache::defaultFolder(), "");
}

} // namespace

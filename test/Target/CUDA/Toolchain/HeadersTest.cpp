// The headers inside the library are those of the source tree, and a compiler sees each under one name.
#include "lib/Target/CUDA/Toolchain/Headers.h"

#include "test/Target/CUDA/Toolchain/ToolchainRun.h"

#include <set>

using namespace mmc::cuda;
using namespace mmc::cuda::test;

namespace {

const std::string kCuda = MMC_SOURCE_DIR "/runtime/cuda/";

void expectTree(std::span<const Header> headers, const std::string &root, const std::string &below) {
  std::set<std::string> names;
  for (const Header &header : headers) {
    names.insert(std::string(header.name));
    EXPECT_TRUE(header.text == readFile(root + std::string(header.name))) << header.name;
  }
  std::set<std::string> files;
  for (const std::string &path : filesBelow(root + below)) files.insert(path.substr(root.size()));
  EXPECT_EQ(names, files);
  EXPECT_EQ(names.size(), headers.size());
  EXPECT_GT(names.size(), 15u);
}

TEST(KernelHeaders, AreThoseOfTheTree) {
  expectTree(deviceHeaders(), kCuda + "device/", "");
  expectTree(emulationTwins(), kCuda + "emulation/", "ptx");
}

TEST(KernelHeaders, TheEmulationHasItsTwinsInPlaceOfPtx) {
  std::map<std::string_view, std::string_view> texts;
  for (const Header &header : emulationHeaders()) EXPECT_TRUE(texts.emplace(header.name, header.text).second);
  EXPECT_EQ(texts["ptx/launch.cuh"], readFile(kCuda + "emulation/ptx/launch.cuh"));
  EXPECT_EQ(texts["block/kernel.cuh"], readFile(kCuda + "device/block/kernel.cuh"));
  for (const auto &[name, text] : texts)
    EXPECT_EQ(text.find("asm("), std::string_view::npos) << name << " has inline assembly";
}

TEST(KernelHeaders, TheDigestKnowsNamesAndTexts) {
  const Header both[] = {{"a", "bc"}, {"d", "e"}}, moved[] = {{"ab", "c"}, {"d", "e"}},
               other[] = {{"a", "bc"}, {"d", "f"}};
  const std::string digest = digestOfHeaders(both);
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(digest, digestOfHeaders(both));
  EXPECT_NE(digest, digestOfHeaders(moved));
  EXPECT_NE(digest, digestOfHeaders(other));
  EXPECT_NE(digest, digestOfHeaders(std::span(both).first(1)));
}

} // namespace

// Proves that files of vectors hold what was given, that damage is seen, and that comparisons see a single wrong bit.
#include "lib/Silicon/Compare.h"
#include "lib/Silicon/Numbers.h"
#include "lib/Silicon/VectorFile.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

using namespace mmc::silicon;

namespace {

class Files : public testing::Test {
protected:
  std::string path = (std::filesystem::temp_directory_path() / ("vectors-" + std::to_string(getpid()))).string();
  void TearDown() override { std::filesystem::remove(path); }

  void expectDamaged(const std::string &what) {
    const auto read = readVectors(path);
    ASSERT_FALSE(read.ok()) << what;
    EXPECT_EQ(read.status().identifier(), "MMC-E0932");
    EXPECT_THAT(read.status().message(), testing::HasSubstr(what));
  }
  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string &text) const { std::ofstream(path, std::ios::binary) << text; }
};

VectorFile twoVectors() {
  return {{"Some Device 7", 9, 0, 13000},
          {{"math.exp2", std::string(64, 'a'), {1, 2, 0xffffffff}}, {"warp.x", std::string(64, 'b'), {}}}};
}

TEST_F(Files, HoldWhatWasGiven) {
  ASSERT_TRUE(writeVectors(path, twoVectors()).ok());
  const auto read = readVectors(path);
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->device.name, "Some Device 7");
  EXPECT_EQ(read->device.sm(), "sm_90");
  EXPECT_EQ(read->device.driverVersion, 13000);
  ASSERT_EQ(read->vectors.size(), 2u);
  EXPECT_EQ(read->find("math.exp2")->output, (Words{1, 2, 0xffffffff}));
  EXPECT_EQ(read->find("math.exp2")->inputs, std::string(64, 'a'));
  EXPECT_TRUE(read->find("warp.x")->output.empty());
  EXPECT_EQ(read->find("warp.y"), nullptr);
}

TEST_F(Files, DamageIsSeen) {
  ASSERT_TRUE(writeVectors(path, twoVectors()).ok());
  const std::string whole = bytes();
  put(whole.substr(0, whole.size() - 1));
  expectDamaged("ends within case math.exp2");
  put(whole + "x");
  expectDamaged("goes on after its last case");
  std::string flipped = whole;
  flipped.back() ^= 1;
  put(flipped);
  expectDamaged("its digest is another");
  flipped = whole;
  flipped[flipped.find("Some")] = 'T';
  put(flipped);
  expectDamaged("its digest is another");
  put("mmc silicon vectors 2\n" + whole.substr(whole.find('\n') + 1));
  expectDamaged("expected 'mmc silicon vectors 1'");
  put("mmc silicon vectors 1\ncase a 99999999 words inputs b\n");
  expectDamaged("longer than the file");
  put("mmc silicon vectors 1\ncase a 8 words inputs b\ncase b 8 words inputs b\ncase c 8 words inputs b\n");
  expectDamaged("with case c it is longer than the file");
  put("");
  expectDamaged("end without a digest");
}

TEST(Compare, SeesASingleBitWhereBitsMatter) {
  Case c;
  c.comparison = Comparison::exact;
  c.words = {1, 2, 3};
  EXPECT_TRUE(compareWithReference(c, {1, 2, 3}).good);
  const Verdict verdict = compareWithReference(c, {1, 2, 0x80000003});
  EXPECT_FALSE(verdict.good);
  EXPECT_EQ(verdict.text, "word 2 is 0x80000003, expected 0x00000003");
  EXPECT_FALSE(compareWithReference(c, {1, 2}).good);
  EXPECT_FALSE(compareWithRecorded(c, {1, 2, 3}, {1, 2, 4}).good);
}

TEST(Compare, MeasuresProductsByWhatIsAllowed) {
  Case c;
  c.comparison = Comparison::product;
  c.values = {1.0, -4.0};
  c.allowed = {2 * ulpAt(1.5), 2 * ulpAt(4.0)};
  const float one = 1.0f + 2 * 0x1p-23f;
  EXPECT_TRUE(compareWithReference(c, {bitsOf(one), bitsOf(-4.0f)}).good);
  EXPECT_EQ(compareWithReference(c, {bitsOf(one), bitsOf(-4.0f)}).worst, 1.0);
  EXPECT_TRUE(compareWithReference(c, {bitsOf(1.0f + 4 * 0x1p-23f), bitsOf(-4.0f)}).good);
  EXPECT_FALSE(compareWithReference(c, {bitsOf(1.0f + 5 * 0x1p-23f), bitsOf(-4.0f)}).good);
  EXPECT_FALSE(compareWithReference(c, {bitsOf(NAN), bitsOf(-4.0f)}).good);
  EXPECT_FALSE(compareWithReference(c, {bitsOf(1.0f)}).good);
  // One device a unit above, another two below: three units apart is one too many.
  EXPECT_TRUE(compareWithRecorded(c, {bitsOf(one), bitsOf(-4.0f)}, {bitsOf(1.0f), bitsOf(-4.0f)}).good);
  EXPECT_FALSE(compareWithRecorded(c, {bitsOf(one), bitsOf(-4.0f)}, {bitsOf(1.0f - 0x1p-23f), bitsOf(-4.0f)}).good);
  c.comparison = Comparison::approximation;
  EXPECT_TRUE(compareWithRecorded(c, {bitsOf(one), bitsOf(-4.0f)}, {bitsOf(1.0f - 0x1p-23f), bitsOf(-4.0f)}).good);
}

/// The digest that binds an output to its inputs covers all that the device is given.
TEST(Compare, InputsHaveADigest) {
  const std::vector<Case> cases = allCases();
  Case c = cases.front();
  const std::string before = digestOfInputs(c);
  EXPECT_EQ(digestOfInputs(cases.front()), before);
  c.input[0] ^= 1;
  EXPECT_NE(digestOfInputs(c), before);
  for (const Case &one : cases) {
    if (!one.tensor) continue;
    Case other = one;
    other.tensor->sizes[0] += 8;
    EXPECT_NE(digestOfInputs(other), digestOfInputs(one)) << one.name;
  }
}

} // namespace

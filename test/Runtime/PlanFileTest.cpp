// The plan container against corrupt files: catalogue P1-P4, P7, P8. Each failure is typed, names what is wrong, and is
// found quickly.
#include "runtime/src/FileIO.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>
#include <filesystem>
#include <fstream>

namespace mmc::test {

namespace {

Status openCopy(const std::vector<uint8_t> &bytes) {
  return bounded(bytes.size(), [&] { return PlanImage::copy(bytes).status(); });
}

template <typename T> void put(std::vector<uint8_t> &file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

/// Recomputes the header digest, so that what a test changed in header or table is looked at, and not only the digest.
void resign(std::vector<uint8_t> &file) {
  uint32_t count;
  std::memcpy(&count, file.data() + 24, 4);
  std::memset(file.data() + 32, 0, 32);
  const size_t covered = std::min<size_t>(file.size(), 64 + size_t(std::min(count, 1000u)) * 64);
  const Digest digest = digestOf({file.data(), covered});
  std::memcpy(file.data() + 32, digest.data(), 32);
}

constexpr size_t kRow1 = 128, kOffset = 8, kSize = 16; // of the second row of the table

TEST(PlanFileTest, AGoodPlanOpensFromFileAndMemory) {
  TemporaryFolder folder;
  const std::vector<uint8_t> file = tinyPlan();
  Expected<PlanImage> image = PlanImage::open(folder.write("a.plan", file));
  ASSERT_TRUE(image.ok()) << image.status().text();
  EXPECT_EQ(image->segments().size(), 3u);
  EXPECT_EQ(image->size(), file.size());
  EXPECT_TRUE(verifyPlan(*image).ok()) << verifyPlan(*image).status().text();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(image->bytes(SegmentKind::constants).data()) % 4096, 0u);
  const std::vector<uint8_t> constants = tinyConstants();
  EXPECT_TRUE(std::equal(constants.begin(), constants.end(), image->bytes(SegmentKind::constants).begin()));
}

TEST(PlanFileTest, BytesAreDeterministicAndWritingIsAtomic) {
  TemporaryFolder folder;
  EXPECT_EQ(tinyPlan(), tinyPlan());
  const std::vector<uint8_t> metadata = encodeTables(tinyTables());
  const SegmentInput segment{SegmentKind::metadata, metadata};
  ASSERT_TRUE(writePlanFile(folder.file("a.plan"), {&segment, 1}).ok());
  ASSERT_TRUE(writePlanFile(folder.file("a.plan"), {&segment, 1}).ok()) << "over an older file";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  std::ifstream in(folder.file("a.plan"), std::ios::binary);
  EXPECT_EQ(std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {}), *buildPlanFile({&segment, 1}));
}

TEST(PlanFileTest, AFailedWriteLeavesNothing) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("a.plan")); // a folder is not replaced
  const std::vector<uint8_t> metadata = {1, 2, 3};
  const SegmentInput segment{SegmentKind::metadata, metadata};
  expectFailure(writePlanFile(folder.file("a.plan"), {&segment, 1}), StatusCode::failed, {"folder", "a.plan"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  expectFailure(writePlanFile(folder.file("none/b.plan"), {&segment, 1}), StatusCode::failed, {"none/b.plan"});
}

TEST(PlanFileTest, P1EmptyAndTiny) {
  for (size_t size : {0, 1, 7, 8, 63}) {
    std::vector<uint8_t> file = tinyPlan();
    file.resize(size);
    expectFailure(openCopy(file), StatusCode::integrity, {std::to_string(size) + " bytes"});
    TemporaryFolder folder;
    expectFailure(PlanImage::open(folder.write("a.plan", file)).status(), StatusCode::integrity, {"a.plan"});
  }
  expectFailure(PlanImage::open("/nowhere/a.plan").status(), StatusCode::failed, {"/nowhere/a.plan", "No such file"});
  expectFailure(PlanImage::open("/tmp").status(), StatusCode::failed, {"regular file"});
}

TEST(PlanFileTest, P2WrongMagicEndiannessOrContent) {
  std::vector<uint8_t> file = tinyPlan();
  file[0] ^= 0x20;
  expectFailure(openCopy(file), StatusCode::integrity, {"not a plan"});
  file = tinyPlan();
  put<uint32_t>(file, 8, 0x04030201);
  resign(file);
  expectFailure(openCopy(file), StatusCode::integrity, {"byte order"});
  // Another FlatBuffer with the same identifier, and one with another identifier.
  std::vector<uint8_t> metadata = encodeTables(tinyTables());
  metadata[4] = 'X';
  expectFailure(decodePlan(metadata, 20).status(), StatusCode::integrity, {"FlatBuffer"});
  const std::vector<uint8_t> other = {8, 0, 0, 0, 'M', 'M', 'C', '1', 255, 255, 255, 127, 0, 0, 0, 0};
  expectFailure(decodePlan(other, 20).status(), StatusCode::integrity, {"FlatBuffer"});
}

TEST(PlanFileTest, P3TruncatedAtEveryEdgeAndPage) {
  const std::vector<uint8_t> whole = tinyPlan();
  std::vector<size_t> sizes;
  for (size_t size = 0; size < whole.size(); size += 4096) sizes.insert(sizes.end(), {size, size + 1});
  const PlanImage image = std::move(*PlanImage::copy(whole));
  for (const Segment &segment : image.segments())
    for (size_t edge : {segment.offset, segment.offset + segment.size}) sizes.insert(sizes.end(), {edge - 1, edge});
  for (size_t size : sizes) {
    if (size >= whole.size()) continue;
    expectFailure(openCopy({whole.begin(), whole.begin() + ptrdiff_t(size)}), StatusCode::integrity, {});
  }
  std::vector<uint8_t> longer = whole;
  longer.push_back(0);
  expectFailure(openCopy(longer), StatusCode::integrity, {"expected " + std::to_string(whole.size())});
}

TEST(PlanFileTest, P4AnyFlippedBitIsFound) {
  const std::vector<uint8_t> whole = tinyPlan();
  size_t tried = 0;
  for (size_t i = 0; i < whole.size(); i += i < 512 ? 1 : 97) {
    std::vector<uint8_t> file = whole;
    file[i] ^= uint8_t(1u << (i % 8));
    const Status status = PlanImage::copy(file).status();
    EXPECT_FALSE(status.ok()) << "bit in byte " << i;
    EXPECT_TRUE(status.code() == StatusCode::integrity || (i == 12 || i == 13))
        << i << " " << status.text(); // 12: the version
    ++tried;
  }
  EXPECT_GT(tried, 500u);
}

TEST(PlanFileTest, P7SegmentTable) {
  struct Case {
    const char *what;
    std::function<void(std::vector<uint8_t> &)> change;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"overlap", [](auto &f) { put<uint64_t>(f, kRow1 + kOffset, 4096); }, {"segment 1", "offset is 4096"}},
      {"hole", [](auto &f) { put<uint64_t>(f, kRow1 + kOffset, 65536); }, {"segment 1", "offset is 65536"}},
      {"unaligned", [](auto &f) { put<uint64_t>(f, kRow1 + kOffset, 8193); }, {"segment 1", "offset is 8193"}},
      {"past the end", [](auto &f) { put<uint64_t>(f, kRow1 + kSize, f.size()); }, {"segment 1", "past the end"}},
      {"wrap", [](auto &f) { put<uint64_t>(f, kRow1 + kSize, ~uint64_t(0) - 100); }, {"segment 1", "past the end"}},
      {"duplicate kind", [](auto &f) { put<uint32_t>(f, kRow1, 1); }, {"segment 1", "second segment of kind 1"}},
      {"unknown kind", [](auto &f) { put<uint32_t>(f, kRow1, 77); }, {"segment 1", "kind 77"}},
      {"unknown flag", [](auto &f) { put<uint32_t>(f, kRow1 + 4, 8); }, {"segment 1", "flags are 8"}},
      {"reserved", [](auto &f) { put<uint64_t>(f, kRow1 + 24, 1); }, {"segment 1", "reserved"}},
      {"no segments", [](auto &f) { put<uint32_t>(f, 24, 0); }, {"segment count is 0"}},
      {"2^32 segments", [](auto &f) { put<uint32_t>(f, 24, ~0u); }, {"segment count is 4294967295"}},
      {"header reserved", [](auto &f) { put<uint32_t>(f, 28, 1); }, {"reserved"}},
      {"padding", [](auto &f) { f[4000] = 1; }, {"padding byte 4000"}},
  };
  for (const Case &c : cases) {
    std::vector<uint8_t> file = tinyPlan();
    c.change(file);
    resign(file);
    SCOPED_TRACE(c.what);
    const Status status = openCopy(file);
    expectFailure(status, c.what == std::string("unknown kind") ? StatusCode::incompatible : StatusCode::integrity,
                  c.words);
  }
  // Segments of an unknown kind are passed over where the file says that they may be.
  std::vector<uint8_t> file = tinyPlan();
  put<uint32_t>(file, kRow1 + 64, 77);
  put<uint32_t>(file, kRow1 + 64 + 4, kSegmentOptional);
  resign(file);
  EXPECT_TRUE(openCopy(file).ok()) << openCopy(file).text();
  const std::vector<uint8_t> object = tinyObject();
  const SegmentInput only{SegmentKind::hostObject, object};
  expectFailure(openCopy(*buildPlanFile({&only, 1})), StatusCode::integrity, {"metadata segment is missing"});
}

TEST(PlanFileTest, P8Versions) {
  for (uint16_t major : {0, 2, 256}) {
    std::vector<uint8_t> file = tinyPlan();
    put<uint16_t>(file, 12, major);
    expectFailure(openCopy(file), StatusCode::incompatible, {"format " + std::to_string(major), "expected 1.x"});
  }
  std::vector<uint8_t> file = tinyPlan();
  put<uint16_t>(file, 14, 9);
  resign(file);
  EXPECT_TRUE(openCopy(file).ok()) << "a newer minor version that requires nothing new";
  PlanTables tables = tinyTables();
  tables.requiredFeatures = {"time-travel"};
  expectFailure(decodePlan(encodeTables(tables), 20).status(), StatusCode::incompatible, {"time-travel"});
}

TEST(PlanFileTest, ALargeSparseFileOfAnotherKindCostsNothing) {
  TemporaryFolder folder;
  const std::string path = folder.write("big", std::string("not a plan"));
  std::filesystem::resize_file(path, uint64_t(1) << 30);
  expectFailure(bounded(0, [&] { return PlanImage::open(path).status(); }), StatusCode::integrity, {"not a plan"});
  std::filesystem::resize_file(path, uint64_t(1) << 40);
  expectFailure(bounded(0, [&] { return PlanImage::open(path).status(); }), StatusCode::integrity, {"1099511627776"});
}

} // namespace

} // namespace mmc::test

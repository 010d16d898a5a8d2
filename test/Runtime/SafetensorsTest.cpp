// Safetensors files, good and hostile: catalogue S1-S5, S7, S10. Every refusal names the file and the tensor, quickly
// and in little memory.
#include "test/Runtime/TinyModel.h"

#include <filesystem>
#include <fstream>

namespace mmc::test {

namespace {

class SafetensorsTest : public testing::Test {
protected:
  TemporaryFolder folder;

  Expected<SafetensorsFile> open(const std::string &bytes) {
    const std::string path = folder.write("model.safetensors", bytes);
    return bounded(bytes.size(), [&] { return SafetensorsFile::open(path); });
  }
  void refuse(const std::string &bytes, const std::vector<std::string> &words,
              StatusCode code = StatusCode::integrity) {
    SCOPED_TRACE(bytes.substr(0, 200));
    std::vector<std::string> all = words;
    all.push_back("model.safetensors");
    expectFailure(open(bytes).status(), code, all);
  }
  void refuseHeader(const std::string &header, const std::string &data, const std::vector<std::string> &words) {
    refuse(safetensors(header, data), words);
  }
};

std::string entry(const std::string &name, const std::string &dtype, const std::string &shape,
                  const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

TEST_F(SafetensorsTest, GoodFilesOfEveryForm) {
  const std::string data = "abcdefgh";
  // Unsorted, spaces behind, notes, a scalar, an empty tensor, a name in another script.
  auto file =
      open(safetensors("{" + entry("b", "F32", "[]", "[4,8]") + ",\"__metadata__\":{\"format\":\"pt\",\"\":\"\"}, " +
                           entry("a", "BF16", "[2,1]", "[0,4]") + "," + entry("empty", "F64", "[3,0]", "[4,4]") + "," +
                           entry("\\u00e9", "I8", "[0]", "[8,8]") + "}   ",
                       data));
  ASSERT_TRUE(file.ok()) << file.status().text();
  ASSERT_EQ(file->tensors().size(), 4u);
  EXPECT_EQ(file->tensors()[0].name, "a");
  EXPECT_EQ(file->tensors()[0].shapeText(), "[2, 1]");
  EXPECT_EQ(file->tensors()[0].type, TensorType::bf16);
  EXPECT_EQ(file->metadata()[0].second, "pt");
  ASSERT_TRUE(file->find("b"));
  EXPECT_EQ(file->find("b")->shape.size(), 0u);
  EXPECT_EQ(file->find("c"), nullptr);
  EXPECT_NE(file->find("\u00e9"), nullptr);
  uint8_t read[3];
  ASSERT_TRUE(file->read(*file->find("b"), 1, read).ok());
  EXPECT_EQ(std::string(read, read + 3), "fgh");
  EXPECT_FALSE(file->read(*file->find("b"), 2, read).ok());
  EXPECT_TRUE(open(safetensors("{}", "")).ok());
}

TEST_F(SafetensorsTest, S1HeaderLength) {
  auto withLength = [](uint64_t length, const std::string &rest) {
    std::string file = safetensors("", rest);
    for (int i = 0; i < 8; ++i) file[size_t(i)] = char(length >> (8 * i));
    return file;
  };
  refuse("", {"0 bytes"});
  refuse("1234567", {"7 bytes"});
  refuse(withLength(0, "{}"), {"0 bytes", "'{'"});
  refuse(withLength(7, "{}"), {"header length 7", "only 2 bytes"});
  refuse(withLength(7, "{\"a\":1}"), {"number 1"});
  refuse(withLength(3, "{}"), {"header length 3", "truncated"});
  refuse(withLength(100'000'001, "{}"), {"100000001", "at most 100000000"});
  refuse(withLength(uint64_t(1) << 63, "{}"), {"9223372036854775808"});
  refuse(withLength(~uint64_t(0), "{}"), {"18446744073709551615"});
}

TEST_F(SafetensorsTest, S2NotTheJsonItShouldBe) {
  refuseHeader("[]", "", {"'{'"});
  refuseHeader(" {}", "", {"'{'"});
  refuseHeader("\xef\xbb\xbf{}", "", {"'{'"});
  refuseHeader("{} x", "", {"JSON", "byte 4"});
  refuseHeader("{}{}", "", {"JSON"});
  refuseHeader(std::string("{}\0", 3), "", {"JSON"});
  refuseHeader("{\"a", "", {"JSON"});
  refuseHeader("{\"\xff\xfe\":1}", "", {"JSON"});
  refuseHeader("{\"\xc0\x80\":1}", "", {"JSON"});
  refuseHeader("{\"\xed\xa0\x80\":1}", "", {"JSON"});
  refuseHeader("{\"a\":" + std::string(100'000, '[') + "}", "", {"'a'"});
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  refuseHeader(deep, "", {"'a'"});
  refuseHeader("{" + entry("a", "I8", "[1]", "[0,1]") + "," + entry("a", "I8", "[1]", "[1,2]") + "}", "xy",
               {"'a'", "twice"});
  refuseHeader("{\"a\":{\"dtype\":\"I8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "x",
               {"'a'", "'dtype' twice"});
  refuseHeader("{\"__metadata__\":{},\"__metadata__\":{}}", "", {"__metadata__ twice"});
  refuseHeader("{\"__metadata__\":{\"k\":\"v\",\"k\":\"v\"}}", "", {"__metadata__", "'k' twice"});
  for (const char *value : {"1", "null", "[\"a\"]", "{\"a\":\"b\"}", "true", "1.5"})
    refuseHeader("{\"__metadata__\":{\"k\":" + std::string(value) + "}}", "", {"__metadata__"});
  for (const char *value : {"1", "null", "[]", "\"x\"", "true"})
    refuseHeader("{\"__metadata__\":" + std::string(value) + "}", "", {"__metadata__"});
  for (const char *value : {"1", "null", "[]", "\"x\"", "true", "-1", "1e3"})
    refuseHeader("{\"a\":" + std::string(value) + "}", "", {"'a'"});
}

TEST_F(SafetensorsTest, S3DataOffsets) {
  const std::string data = "01234567";
  refuseHeader("{" + entry("a", "I8", "[4]", "[6,2]") + "}", data, {"'a'", "6 to 2", "begin after end"});
  refuseHeader("{" + entry("a", "I8", "[9]", "[0,9]") + "}", data, {"'a'", "byte 9", "8 bytes of data", "truncated"});
  refuseHeader("{" + entry("a", "I8", "[5]", "[0,5]") + "," + entry("b", "I8", "[4]", "[4,8]") + "}", data,
               {"'b'", "starts at byte 4, expected 5", "overlap"});
  refuseHeader("{" + entry("a", "I8", "[3]", "[0,3]") + "," + entry("b", "I8", "[4]", "[4,8]") + "}", data,
               {"'b'", "starts at byte 4, expected 3", "hole"});
  refuseHeader("{" + entry("a", "I8", "[7]", "[1,8]") + "}", data, {"'a'", "hole"});
  refuseHeader("{" + entry("a", "I8", "[7]", "[0,7]") + "}", data, {"1 bytes at the end"});
  refuseHeader("{}", data, {"8 bytes at the end"});
  refuseHeader("{" + entry("a", "I8", "[8]", "[0,8]") + "," + entry("b", "I8", "[0]", "[3,3]") + "}", data,
               {"overlap"});
  for (const char *offsets :
       {"[]", "[0]", "[0,8,8]", "[0,-8]", "[0,8.0]", "[0,\"8\"]", "[0,[8]]", "[0,1e0]", "8", "{}"})
    refuseHeader("{" + entry("a", "I8", "[8]", offsets) + "}", data, {"'a'"});
  refuseHeader("{" + entry("a", "I8", "[8]", "[0,18446744073709551615]") + "}", data, {"'a'"});
  refuseHeader("{" + entry("a", "I8", "[8]", "[18446744073709551616,8]") + "}", data, {"'a'"});
}

TEST_F(SafetensorsTest, S4Shapes) {
  refuseHeader("{" + entry("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", "",
               {"'a'", "[4294967296, 4294967296]", "wraps"});
  refuseHeader("{" + entry("a", "I8", "[9223372036854775808]", "[0,0]") + "}", "", {"'a'", "wraps"});
  refuseHeader("{" + entry("a", "I8", "[18446744073709551616]", "[0,0]") + "}", "", {"'a'", "18446744073709551616"});
  refuseHeader("{" + entry("a", "I8", "[-1]", "[0,0]") + "}", "", {"'a'", "negative number -1"});
  refuseHeader("{" + entry("a", "I8", "[1e3]", "[0,0]") + "}", "", {"'a'", "1e3"});
  refuseHeader("{" + entry("a", "I8", "[1.0]", "[0,1]") + "}", "x", {"'a'", "1.0"});
  refuseHeader("{" + entry("a", "I8", "[\"1\"]", "[0,1]") + "}", "x", {"'a'"});
  std::string many = "[1";
  for (int i = 1; i < 100; ++i) many += ",1";
  refuseHeader("{" + entry("a", "I8", many + "]", "[0,1]") + "}", "x", {"'a'", "more than 8 dimensions"});
  EXPECT_TRUE(open(safetensors("{" + entry("a", "F64", "[]", "[0,8]") + "}", "01234567")).ok());
}

TEST_F(SafetensorsTest, S5DTypesAndSizes) {
  refuseHeader("{" + entry("a", "F33", "[1]", "[0,4]") + "}", "0123", {"'a'", "unknown dtype 'F33'"});
  refuseHeader("{" + entry("a", "f32", "[1]", "[0,4]") + "}", "0123", {"'f32'"});
  refuseHeader("{" + entry("a", "F32", "[2]", "[0,4]") + "}", "0123", {"'a'", "4 bytes, expected 8", "F32 [2]"});
  refuseHeader("{" + entry("a", "BF16", "[1]", "[0,4]") + "}", "0123", {"4 bytes, expected 2"});
  refuseHeader("{" + entry("a", "F4", "[7]", "[0,4]") + "}", "0123", {"'a'", "28 bits"});
  EXPECT_TRUE(open(safetensors("{" + entry("a", "F4", "[8]", "[0,4]") + "}", "0123")).ok());
  for (const char *type : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "BOOL", "U8"})
    EXPECT_TRUE(open(safetensors("{" + entry("a", type, "[4]", "[0,4]") + "}", "0123")).ok()) << type;
  refuseHeader("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", "x", {"'a'", "no dtype"});
  refuseHeader("{\"a\":{\"dtype\":\"I8\",\"data_offsets\":[0,1]}}", "x", {"'a'", "no shape"});
  refuseHeader("{\"a\":{\"dtype\":\"I8\",\"shape\":[1]}}", "x", {"'a'", "no data_offsets"});
  refuseHeader("{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", "x",
               {"'a'", "unknown key 'x'"});
}

TEST_F(SafetensorsTest, S7WhatDownloadsLeaveBehind) {
  const std::string good = safetensors("{" + entry("w", "F32", "[1024]", "[0,4096]") + "}", std::string(4096, 'x'));
  for (size_t size : {good.size() - 1, good.size() - 4096, good.size() / 2, size_t(100), size_t(30)})
    refuse(good.substr(0, size), {"truncated"});
  refuse("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n", {"Git LFS pointer"});
  refuse("<!DOCTYPE html><html>Not found</html>", {"web page"});
  refuse("\n  <html>Not found</html>", {"web page"});
  refuse("{\"error\":\"Repository not found\"}", {"text message"});
  refuse("Entry not found", {"text message"});
  // A tail of zeros is legal data of the format; a checkpoint's is looked at when weights are loaded, see below.
  const std::string path =
      folder.write("sparse", safetensors("{" + entry("w", "I8", "[1099511627776]", "[0,1099511627776]") + "}", ""));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + (uint64_t(1) << 40));
  auto file = bounded(0, [&] { return SafetensorsFile::open(path); });
  ASSERT_TRUE(file.ok()) << file.status().text();
  uint8_t last[1] = {1};
  ASSERT_TRUE(file->read(*file->find("w"), (uint64_t(1) << 40) - 1, last).ok());
  EXPECT_EQ(last[0], 0);
}

TEST_F(SafetensorsTest, AFileThatShrinksAfterItWasOpenedIsAnError) {
  auto file = open(safetensors("{" + entry("w", "I8", "[4096]", "[0,4096]") + "}", std::string(4096, 'x')));
  ASSERT_TRUE(file.ok());
  std::filesystem::resize_file(folder.file("model.safetensors"), 1000);
  std::vector<uint8_t> to(4096);
  expectFailure(file->read(*file->find("w"), 0, to), StatusCode::failed, {"changed"});
}

TEST_F(SafetensorsTest, S10LongNamesAndManyTensors) {
  const std::string name(1 << 20, 'n');
  auto file = open(safetensors("{" + entry(name, "I8", "[1]", "[0,1]") + "}", "x"));
  ASSERT_TRUE(file.ok()) << file.status().text();
  EXPECT_NE(file->find(name), nullptr);
  refuseHeader("{" + entry(name, "I8", "[2]", "[0,1]") + "}", "x", {"'nnn", "1 bytes, expected 2"});
  // Names that look alike are different names.
  EXPECT_TRUE(
      open(
          safetensors("{" + entry("a", "I8", "[0]", "[0,0]") + "," + entry("\xd0\xb0", "I8", "[0]", "[0,0]") + "}", ""))
          .ok());
}

TEST_F(SafetensorsTest, S10AMillionTensors) {
  std::string header = "{";
  for (int i = 0; i < 1'000'000; ++i) header += (i ? "," : "") + entry(std::to_string(i), "I8", "[0]", "[0,0]");
  const std::string bytes = safetensors(header + "}", "");
  const std::string path = folder.write("model.safetensors", bytes);
  PeakMemory memory;
  auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().text();
  EXPECT_EQ(checkpoint->tensors().size(), 1'000'000u);
  if (!sanitized()) {
    EXPECT_LE(memory.growth(), 2 * bytes.size() + (16u << 20));
  }
}

TEST_F(SafetensorsTest, RandomDamageNeverCrashes) {
  const std::string good = safetensors("{" + entry("a", "F32", "[2,2]", "[0,16]") + ",\"__metadata__\":{\"a\":\"b\"}," +
                                           entry("b", "BF16", "[4]", "[16,24]") + "}",
                                       std::string(24, 'x'));
  uint64_t random = 3;
  size_t refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bad = good;
    for (int i = 0; i < 2; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      bad[(random >> 33) % bad.size()] = char(random >> 56);
    }
    refused += !SafetensorsFile::open(folder.write("m", bad)).ok();
  }
  EXPECT_GT(refused, 150u);
}

class CheckpointTest : public SafetensorsTest {
protected:
  const std::string shardA = safetensors("{" + entry("a", "I8", "[1]", "[0,1]") + "}", "A");
  const std::string shardB = safetensors("{" + entry("b", "I8", "[1]", "[0,1]") + "}", "B");
  void index(const std::string &text) { folder.write("model.safetensors.index.json", text); }
  void refuseFolder(const std::vector<std::string> &words, StatusCode code = StatusCode::integrity) {
    expectFailure(bounded(0, [&] { return Checkpoint::open(folder.path()).status(); }), code, words);
  }
};

TEST_F(CheckpointTest, ShardsTogether) {
  folder.write("x-1.safetensors", shardA);
  folder.write("x-2.safetensors", shardB);
  index(
      R"({"metadata":{"total_size":2,"more":[1,{"x":null}]},"weight_map":{"b":"x-2.safetensors","a":"x-1.safetensors"}})");
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().text();
  ASSERT_EQ(checkpoint->tensors().size(), 2u);
  for (const char *name : {"a", "b"})
    EXPECT_EQ((*checkpoint->readAll(*checkpoint->find(name)))[0], name[0] - 'a' + 'A');
  EXPECT_EQ(checkpoint->find("c"), nullptr);
}

TEST_F(CheckpointTest, NothingThere) {
  refuseFolder({"neither", "index.json"}, StatusCode::failed);
  expectFailure(Checkpoint::open(folder.file("nowhere")).status(), StatusCode::failed, {"does not exist"});
}

TEST_F(CheckpointTest, S6IndexAndShardsDisagree) {
  folder.write("x-1.safetensors", shardA);
  folder.write("x-2.safetensors", shardB);
  index(R"({"weight_map":{"a":"x-1.safetensors","b":"x-3.safetensors"}})");
  refuseFolder({"'x-3.safetensors'", "missing"});
  index(R"({"weight_map":{"a":"x-1.safetensors","b":"x-1.safetensors"}})");
  refuseFolder({"'b'", "x-1.safetensors", "does not have it"});
  index(R"({"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors","c":"x-2.safetensors"}})");
  refuseFolder({"'c'", "x-2.safetensors"});
  folder.write("x-3.safetensors", shardA);
  index(R"({"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors","a":"x-3.safetensors"}})");
  refuseFolder({"'a'", "twice"});
  folder.write(
      "x-3.safetensors",
      safetensors("{" + entry("a", "I8", "[1]", "[0,1]") + "," + entry("c", "I8", "[1]", "[1,2]") + "}", "Ac"));
  index(R"({"weight_map":{"a":"x-1.safetensors","c":"x-3.safetensors"}})");
  refuseFolder({"'a'", "two shards", "x-1.safetensors", "x-3.safetensors"});
  for (const char *name : {"../x-1.safetensors", "/etc/passwd", "..", "sub/x.safetensors", "x\\\\y.safetensors",
                           "x-1.bin", "", "x\\u0000.safetensors"}) {
    index(R"({"weight_map":{"a":")" + std::string(name) + R"("}})");
    refuseFolder({"same folder"});
  }
}

TEST_F(CheckpointTest, S6IndexOfAnotherForm) {
  folder.write("x-1.safetensors", shardA);
  for (const char *text :
       {"", "[]", "\"x\"", "{", "{}", R"({"weight_map":1})", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
        R"({"weight_map":{"a":{}}})", R"({"weight_map":{"a":["x"]}})", R"({"weight_map":{}} x)",
        R"({"weight_map":{},"weight_map":{}})", "<html>", "version https://git-lfs.github.com/spec/v1"}) {
    index(text);
    refuseFolder({"index.json"});
  }
  index("{\"metadata\":" + std::string(100'000, '[') + "}");
  refuseFolder({"nested"});
}

TEST_F(CheckpointTest, S7AZeroFilledTailIsNamed) {
  const std::string half = std::string(500, 'x') + std::string(524, '\0');
  auto tails = [&](const std::string &header, const std::string &data) {
    folder.write("model.safetensors", safetensors("{" + header + "}", data));
    auto checkpoint = Checkpoint::open(folder.path());
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status().text();
    return checkpoint->checkTails();
  };
  // The last tensor in the file, not in the order of names or of the header.
  const std::string three = entry("c", "I8", "[512]", "[0,512]") + "," + entry("a", "I8", "[256]", "[768,1024]") + "," +
                            entry("b", "I8", "[256]", "[512,768]");
  expectFailure(tails(three, half), StatusCode::integrity, {"model.safetensors", "'a'", "256 bytes", "all zero"});
  // A tensor that only ends in zeros may be a vocabulary with padding rows; one of zeros before the last may be an
  // expert that nobody trained.
  EXPECT_TRUE(tails(entry("w", "I8", "[1024]", "[0,1024]"), half).ok());
  EXPECT_TRUE(tails(three, std::string(512, '\0') + std::string(512, 'x')).ok());
  EXPECT_TRUE(tails(three, std::string(1023, '\0') + "x").ok());
  EXPECT_TRUE(tails(entry("empty", "I8", "[0]", "[0,0]"), "").ok());
}

TEST_F(CheckpointTest, S7ALongTailOfZerosIsFoundQuickly) {
  const uint64_t size = uint64_t(1) << 40;
  const std::string header = entry("w", "I8", "[1099511627776]", "[0,1099511627776]");
  const std::string path = folder.write("x.safetensors", safetensors("{" + header + "}", "x"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1 + size);
  index(R"({"weight_map":{"w":"x.safetensors"}})");
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().text();
  expectFailure(bounded(0, [&] { return checkpoint->checkTails(); }), StatusCode::integrity, {"x.safetensors", "'w'"});
}

TEST_F(CheckpointTest, S7AShardThatIsNotOneIsNamed) {
  folder.write("x-1.safetensors", shardA);
  index(R"({"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors"}})");
  folder.write("x-2.safetensors", std::string("<html>404</html>"));
  refuseFolder({"x-2.safetensors", "web page"});
  folder.write("x-2.safetensors", std::string("version https://git-lfs.github.com/spec/v1\n"));
  refuseFolder({"x-2.safetensors", "LFS"});
  folder.write("x-2.safetensors", shardB.substr(0, shardB.size() - 1));
  refuseFolder({"x-2.safetensors", "truncated"});
}

} // namespace

} // namespace mmc::test

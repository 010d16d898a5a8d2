//===- TestSupport.cpp - what the text tests share -------------------------===//
//
// operator new is counted, so that a test can state how much memory a load took.
//
//===----------------------------------------------------------------------===//
#include "test/Text/TestSupport.h"
#include "lib/Text/Unicode.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <malloc.h>
#include <new>
#include <sstream>
#include <time.h>

namespace {

std::atomic<size_t> live{0}, peak{0};

void *allocate(size_t bytes) {
  void *memory = std::malloc(bytes ? bytes : 1);
  if (!memory) throw std::bad_alloc();
  size_t now = live += malloc_usable_size(memory);
  size_t highest = peak.load();
  while (now > highest && !peak.compare_exchange_weak(highest, now)) {
  }
  return memory;
}

void release(void *memory) noexcept {
  if (!memory) return;
  live -= malloc_usable_size(memory);
  std::free(memory);
}

} // namespace

void *operator new(size_t bytes) { return allocate(bytes); }
void *operator new[](size_t bytes) { return allocate(bytes); }
void operator delete(void *memory) noexcept { release(memory); }
void operator delete[](void *memory) noexcept { release(memory); }
void operator delete(void *memory, size_t) noexcept { release(memory); }
void operator delete[](void *memory, size_t) noexcept { release(memory); }

namespace mmc::text {

double Stopwatch::now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

size_t liveBytes() { return live; }
size_t peakBytes() { return peak; }
void resetPeak() { peak = live.load(); }

std::string spell(std::string_view bytes) {
  std::string out;
  for (char byte : bytes) {
    auto value = static_cast<unsigned char>(byte);
    bool printable = (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174;
    // The bytes that are not printable, in order: 0-32, 127-160, 173.
    uint32_t hidden = value <= 32 ? value : value <= 160 ? value - 127 + 33 : 67;
    appendUtf8(printable ? value : 256 + hidden, out);
  }
  return out;
}

nlohmann::json makeTokenizerJson(const std::vector<std::string> &tokens,
                                 const std::vector<std::pair<std::string, std::string>> &merges) {
  nlohmann::json vocabulary = nlohmann::json::object(), mergeList = nlohmann::json::array();
  int id = 0;
  for (int byte = 0; byte < 256; ++byte) {
    char one = static_cast<char>(byte);
    vocabulary[spell({&one, 1})] = id++;
  }
  for (const std::string &token : tokens) vocabulary[token] = id++;
  for (const auto &[left, right] : merges) mergeList.push_back({left, right});
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", nlohmann::json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocabulary},
            {"merges", mergeList}}}};
}

nlohmann::json makeAddedToken(const std::string &content, int id, bool special) {
  return {{"id", id},        {"content", content},   {"special", special}, {"lstrip", false},
          {"rstrip", false}, {"single_word", false}, {"normalized", false}};
}

Tokenizer parseTokenizer(const nlohmann::json &file) {
  Result<Tokenizer> tokenizer = Tokenizer::parse(file.dump());
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().describe();
    std::abort();
  }
  return std::move(*tokenizer);
}

std::vector<std::string> pieces(const Tokenizer &tokenizer, std::string_view text, const EncodeOptions &options) {
  Result<std::vector<int32_t>> ids = tokenizer.encode(text, options);
  if (!ids) {
    ADD_FAILURE() << ids.error().describe();
    return {};
  }
  std::vector<std::string> out;
  for (int32_t id : *ids) out.emplace_back(tokenizer.tokenBytes(id));
  return out;
}

std::string readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void expectRefused(const std::string &file, ErrorCode code, const std::string &message) {
  Result<Tokenizer> tokenizer = Tokenizer::parse(file);
  ASSERT_FALSE(tokenizer.ok()) << "accepted, expected: " << message;
  EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().describe();
  EXPECT_THAT(tokenizer.error().message, testing::HasSubstr(message));
}

} // namespace mmc::text

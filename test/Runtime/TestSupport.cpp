// What the runtime's tests share that does not concern the tiny model: folders, files, memory, expectations.
#include "test/Runtime/TinyModel.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace mmc::test {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "mmc-test-XXXXXX").string();
  folder = mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(folder); }

std::string TemporaryFolder::write(const std::string &name, const std::string &bytes) const {
  std::ofstream(file(name), std::ios::binary) << bytes;
  return file(name);
}

std::string TemporaryFolder::write(const std::string &name, const std::vector<uint8_t> &bytes) const {
  return write(name, std::string(bytes.begin(), bytes.end()));
}

std::string safetensors(const std::string &header, const std::string &data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += char(uint64_t(header.size()) >> (8 * i));
  return file + header + data;
}

void expectFailure(const Status &status, StatusCode code, const std::vector<std::string> &words) {
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), code) << status.text();
  EXPECT_TRUE(status.identifier().starts_with("MMC-E0")) << status.identifier();
  EXPECT_FALSE(status.message().empty());
  EXPECT_FALSE(status.hint().empty());
  for (const std::string &word : words)
    EXPECT_NE(status.text().find(word), std::string::npos) << "'" << word << "' is not in: " << status.text();
}

/// A line of /proc/self/status, in bytes.
static uint64_t statusField(const std::string &field) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
  return 0;
}

PeakMemory::PeakMemory() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5"; // resets VmHWM
  before = statusField("VmRSS");
}

uint64_t PeakMemory::growth() const {
  const uint64_t peak = statusField("VmHWM");
  return peak > before ? peak - before : 0;
}

double processorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

bool sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
  return true;
#endif
#endif
  return false;
}

} // namespace mmc::test

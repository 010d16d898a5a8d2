// A file of the cache: eight letters, the digest of what follows, the key, the length of the log as eight bytes of
// little endian, the log, the image.
#include "lib/Target/CUDA/Toolchain/Cache.h"

#include "runtime/src/Errors.h"
#include "runtime/src/FileIO.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace mmc::cuda {

using runtime::Digest;
using runtime::Status;

namespace {

constexpr char kMagic[] = "MMCKERN1";
constexpr size_t kMagicBytes = 8, kDigestBytes = sizeof(Digest), kLengthBytes = 8;
constexpr size_t kHeadBytes = kMagicBytes + 2 * kDigestBytes + kLengthBytes;
constexpr uint64_t kLargest = uint64_t(1) << 30;

std::span<const uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string_view textOf(const Digest &digest) { return {reinterpret_cast<const char *>(digest.data()), digest.size()}; }

/// Absolute as the XDG specification wants it: others are ignored.
std::string absoluteVariable(const char *name) {
  const char *value = std::getenv(name);
  return value && value[0] == '/' ? value : "";
}

std::optional<CompiledKernel> decode(std::string_view file, const Digest &key) {
  if (file.size() < kHeadBytes || !file.starts_with(kMagic)) return std::nullopt;
  const std::string_view signedPart = file.substr(kMagicBytes + kDigestBytes);
  if (file.substr(kMagicBytes, kDigestBytes) != textOf(runtime::digestOf(bytesOf(signedPart)))) return std::nullopt;
  if (!signedPart.starts_with(textOf(key))) return std::nullopt;
  uint64_t logBytes = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) logBytes |= uint64_t(uint8_t(signedPart[kDigestBytes + i])) << (8 * i);
  const std::string_view rest = file.substr(kHeadBytes);
  if (logBytes > rest.size()) return std::nullopt;
  return CompiledKernel{std::string(rest.substr(logBytes)), std::string(rest.substr(0, logBytes))};
}

} // namespace

std::string KernelCache::defaultFolder() {
  if (const char *folder = std::getenv("MMC_CACHE_DIR"); folder && *folder) return folder;
  if (const std::string base = absoluteVariable("XDG_CACHE_HOME"); !base.empty()) return base + "/mmc";
  const std::string home = absoluteVariable("HOME");
  return home.empty() ? "" : home + "/.cache/mmc";
}

std::string KernelCache::pathOf(const Digest &key) const {
  const std::string hex = runtime::toHex(key);
  return folder + "/kernels/" + hex.substr(0, 2) + "/" + hex.substr(2);
}

std::optional<CompiledKernel> KernelCache::find(const Digest &key) const {
  if (folder.empty()) return std::nullopt;
  const std::string path = pathOf(key);
  auto file = runtime::InputFile::open(path);
  if (!file.ok()) return std::nullopt;
  std::string content(std::min(file->size(), kLargest), '\0');
  std::optional<CompiledKernel> kernel;
  if (file->readAt(0, {reinterpret_cast<uint8_t *>(content.data()), content.size()}).ok())
    kernel = decode(content, key);
  if (!kernel) unlink(path.c_str());
  return kernel;
}

Status KernelCache::keep(const Digest &key, const CompiledKernel &kernel) const {
  if (folder.empty()) return {};
  const std::string path = pathOf(key);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return Status(runtime::kCannotWrite, "cannot make the folder of " + path, {}, error.message());
  std::string content(textOf(key));
  for (size_t i = 0; i < kLengthBytes; ++i) content += char(uint64_t(kernel.log.size()) >> (8 * i) & 0xff);
  content += kernel.log + kernel.bytes;
  const Digest digest = runtime::digestOf(bytesOf(content));
  auto file = runtime::OutputFile::create(path);
  if (!file.ok()) return file.status();
  MMC_RETURN_IF_ERROR(file->write(bytesOf(kMagic + std::string(textOf(digest)))));
  MMC_RETURN_IF_ERROR(file->write(bytesOf(content)));
  return file->commit();
}

} // namespace mmc::cuda

#include "lib/Target/CUDA/Toolchain/TemporaryFolder.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "runtime/src/FileIO.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

Expected<TemporaryFolder> TemporaryFolder::create() {
  const char *base = std::getenv("TMPDIR");
  std::string path = std::string(base && base[0] == '/' ? base : "/tmp") + "/mmc-kernels-XXXXXX";
  if (mkdtemp(path.data())) return TemporaryFolder(std::move(path));
  return Status(kToolchain, "cannot make the temporary folder " + path, {}, runtime::describeErrno(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
}

Status TemporaryFolder::write(const std::string &name, std::string_view text) const {
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out ? Status() : Status(kToolchain, "cannot write " + path.string(), {}, runtime::describeErrno(errno));
}

Expected<std::string> readWhole(const std::string &path) {
  auto file = runtime::InputFile::open(path);
  if (!file.ok()) return file.status();
  std::string bytes(file->size(), '\0');
  MMC_RETURN_IF_ERROR(file->readAt(0, {reinterpret_cast<uint8_t *>(bytes.data()), bytes.size()}));
  return bytes;
}

} // namespace mmc::cuda

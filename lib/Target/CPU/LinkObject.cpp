// Objects to one shared object, by ld.lld as a program with temporary files.
//
// `-z defs` makes an undefined symbol an error; no build id, no paths and no time are in the output, so the bytes
// depend on the objects only.
#include "lib/Target/CPU/Stages.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace llvm;

namespace {
/// A folder of its own that is removed with everything in it.
class TemporaryFolder {
public:
  ~TemporaryFolder() {
    if (!path.empty()) sys::fs::remove_directories(path, /*IgnoreErrors=*/true);
  }
  std::error_code create() { return sys::fs::createUniqueDirectory("mmc-link", path); }
  std::string file(const Twine &name) const {
    SmallString<128> full(path);
    sys::path::append(full, name);
    return std::string(full);
  }

private:
  SmallString<128> path;
};
} // namespace

static std::string findLinker() {
  if (sys::fs::can_execute(MMC_LLD_PROGRAM)) return MMC_LLD_PROGRAM;
  for (const char *name : {"ld.lld-22", "ld.lld"})
    if (ErrorOr<std::string> found = sys::findProgramByName(name)) return *found;
  return {};
}

static std::string contentsOf(const std::string &file) {
  auto buffer = MemoryBuffer::getFile(file);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

bool mmc::cpu::linkSharedObject(ArrayRef<SmallVector<char, 0>> objects, std::string &elf, std::string &error) {
  std::string linker = findLinker();
  if (linker.empty()) {
    error = "the linker ld.lld-22 was not found; install lld-22";
    return false;
  }
  TemporaryFolder folder;
  if (std::error_code code = folder.create()) {
    error = "cannot make a temporary folder: " + code.message();
    return false;
  }
  std::string output = folder.file("kernels.so"), log = folder.file("log");
  std::vector<std::string> arguments{
      linker,       "-shared",     "-z",          "defs", "-z",  "noexecstack", "--build-id=none", "--hash-style=gnu",
      "-Bsymbolic", "--strip-all", "--threads=1", "-o",   output};
  for (auto [i, object] : llvm::enumerate(objects)) {
    arguments.push_back(folder.file(Twine(i) + ".o"));
    std::error_code code;
    raw_fd_ostream stream(arguments.back(), code);
    stream.write(object.data(), object.size());
    stream.close();
    if (code || stream.has_error()) {
      error = "cannot write " + arguments.back() + ": " + (code ? code : stream.error()).message();
      stream.clear_error();
      return false;
    }
  }
  SmallVector<StringRef> references(arguments.begin(), arguments.end());
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(log), StringRef(log)};
  std::string problem;
  int status = sys::ExecuteAndWait(linker, references, std::nullopt, redirects, 0, 0, &problem);
  if (status != 0) {
    error = "ld.lld failed: " + (problem.empty() ? contentsOf(log) : problem);
    return false;
  }
  elf = contentsOf(output);
  if (elf.empty()) error = "ld.lld wrote no output";
  return !elf.empty();
}

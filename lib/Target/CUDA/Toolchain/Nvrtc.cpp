// Implements NVRTC: opening, what it is, compiling one program.
#include "lib/Target/CUDA/Toolchain/Nvrtc.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "lib/Target/CUDA/Toolchain/TemporaryFolder.h"
#include "runtime/src/Digest.h"
#include "runtime/src/Errors.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

constexpr int kOldestMajor = 12; // -std=c++20 came with it

/// The build id in one part of a loaded library, if that part is its notes.
std::string buildIdIn(const ElfW(Phdr) & part, uintptr_t base) {
  if (part.p_type != PT_NOTE) return {};
  const auto *at = reinterpret_cast<const uint8_t *>(base + part.p_vaddr), *end = at + part.p_memsz;
  const auto padded = [](size_t bytes) { return (bytes + 3) & ~size_t(3); };
  while (size_t(end - at) >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const uint8_t *name = at + sizeof note, *content = name + padded(note.n_namesz);
    at = content + padded(note.n_descsz);
    if (at > end) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !std::memcmp(name, "GNU", 4))
      return {reinterpret_cast<const char *>(content), note.n_descsz};
  }
  return {};
}

/// The build id of the library that an address lies in; empty if it has none.
std::string buildIdOf(uintptr_t address) {
  struct Search {
    uintptr_t address;
    std::string found;
  } search{address, {}};
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *user) {
        auto &search = *static_cast<Search *>(user);
        bool inside = false;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto &part = info->dlpi_phdr[i];
          inside |= part.p_type == PT_LOAD && search.address - info->dlpi_addr - part.p_vaddr < part.p_memsz;
        }
        for (int i = 0; inside && i < info->dlpi_phnum && search.found.empty(); ++i)
          search.found = buildIdIn(info->dlpi_phdr[i], info->dlpi_addr);
        return int(inside);
      },
      &search);
  std::string hex;
  for (const char c : search.found) {
    constexpr const char *kDigits = "0123456789abcdef";
    hex += kDigits[uint8_t(c) >> 4];
    hex += kDigits[uint8_t(c) & 15];
  }
  return hex;
}

struct Program {
  NvrtcProgram *handle = nullptr;
  NvrtcResult (*destroy)(NvrtcProgram **);
  ~Program() {
    if (handle) destroy(&handle);
  }
};

/// ptxas says how long it took, which is another number each time.
std::string withoutTimes(const std::string &log) {
  std::string kept;
  for (size_t begin = 0; begin < log.size();) {
    const size_t end = std::min(log.find('\n', begin), log.size());
    const std::string line = log.substr(begin, end - begin);
    if (line.find("Compile time") == std::string::npos) kept += line + "\n";
    begin = end + 1;
  }
  while (kept.ends_with("\n\n")) kept.pop_back();
  return kept == "\n" ? "" : kept;
}

} // namespace

Expected<Nvrtc> Nvrtc::open() {
  const std::vector<std::string> candidates = nvrtcCandidates();
  std::string cause;
  for (const std::string &candidate : candidates) {
    if (void *library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      Nvrtc nvrtc;
      nvrtc.file = candidate;
      MMC_RETURN_IF_ERROR(nvrtc.resolve(library));
      return nvrtc;
    }
    // Of the places that are merely empty only the first is worth words; a library that is there and does not open is.
    const char *reason = dlerror();
    const bool missing = !reason || std::strstr(reason, "No such file");
    if (cause.empty() || !missing) cause = reason ? reason : "";
    if (!missing) break;
  }
  return Status(kNoNvrtc,
                candidates.size() == 1 ? "cannot open NVRTC at MMC_NVRTC = " + candidates[0]
                                       : "no NVRTC (libnvrtc.so.13 or .12) in a toolkit or a Python environment",
                {}, cause);
}

Status Nvrtc::resolve(void *library) {
  const char *missing = nullptr;
#define MMC_RESOLVE(member, symbol, ...)                                                                               \
  member = reinterpret_cast<decltype(member)>(dlsym(library, #symbol));                                                \
  if (!member && !missing) missing = #symbol;
  MMC_NVRTC_ENTRIES(MMC_RESOLVE)
#undef MMC_RESOLVE
  if (missing) return Status(kNoNvrtc, file + " lacks " + missing + ", expected NVRTC of CUDA 12.0 or newer");
  link_map *map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map && *map->l_name) file = map->l_name;
  if (NvrtcResult result = version(&major, &minor); result != NvrtcResult::success)
    return statusOf(result, "nvrtcVersion");
  if (major < kOldestMajor)
    return Status(kNoNvrtc, file + " is NVRTC of CUDA " + versionText() + ", expected 12.0 or newer");
  return {};
}

Status Nvrtc::statusOf(NvrtcResult result, const char *call) const {
  if (result == NvrtcResult::success) return {};
  const char *text = getErrorString(result);
  if (result == NvrtcResult::outOfMemory) return Status(runtime::kMemoryExhausted, "NVRTC is out of memory");
  return Status(kToolchain, std::string(call) + " of " + file + " failed", "install NVRTC again",
                text ? text : "error " + std::to_string(int(result)));
}

Expected<std::string> Nvrtc::identity() const {
  const std::string known = "nvrtc " + versionText() + " ";
  if (const std::string id = buildIdOf(reinterpret_cast<uintptr_t>(version)); !id.empty()) return known + id;
  Expected<std::string> bytes = readWhole(file);
  if (!bytes.ok()) return bytes.status();
  runtime::DigestStream stream;
  stream.update(*bytes);
  return known + runtime::toHex(stream.finish());
}

Status Nvrtc::checkArchitecture(const std::string &architecture) const {
  int count = 0;
  if (NvrtcResult result = getNumSupportedArchs(&count); result != NvrtcResult::success)
    return statusOf(result, "nvrtcGetNumSupportedArchs");
  std::vector<int> numbers(size_t(std::max(count, 0)));
  if (NvrtcResult result = getSupportedArchs(numbers.data()); result != NvrtcResult::success)
    return statusOf(result, "nvrtcGetSupportedArchs");
  std::string known;
  for (const int number : numbers) {
    const std::string name = "sm_" + std::to_string(number);
    const bool specific = architecture == name + "a" && number >= 90;
    if (architecture == name || specific) return {};
    known += (known.empty() ? "" : ", ") + name;
  }
  return Status(kArchitecture, "NVRTC " + versionText() + " makes no code for '" + architecture +
                                   "', expected one of " + known + ", from sm_90 on also with an a");
}

Expected<Nvrtc::Outcome> Nvrtc::compile(const std::string &name, const std::string &text,
                                        std::span<const Header> headers,
                                        const std::vector<std::string> &options) const {
  std::vector<std::string> strings; // with an end that C sees
  for (const Header &header : headers) {
    strings.emplace_back(header.name);
    strings.emplace_back(header.text);
  }
  std::vector<const char *> names, texts, arguments;
  for (size_t i = 0; i < strings.size(); i += 2) {
    names.push_back(strings[i].c_str());
    texts.push_back(strings[i + 1].c_str());
  }
  for (const std::string &option : options) arguments.push_back(option.c_str());
  Program program{nullptr, destroyProgram};
  MMC_RETURN_IF_ERROR(statusOf(
      createProgram(&program.handle, text.c_str(), name.c_str(), int(names.size()), texts.data(), names.data()),
      "nvrtcCreateProgram"));
  const NvrtcResult result = compileProgram(program.handle, int(arguments.size()), arguments.data());
  Outcome outcome;
  size_t bytes = 0;
  MMC_RETURN_IF_ERROR(statusOf(getLogSize(program.handle, &bytes), "nvrtcGetProgramLogSize"));
  outcome.log.resize(bytes);
  if (bytes) MMC_RETURN_IF_ERROR(statusOf(getLog(program.handle, outcome.log.data()), "nvrtcGetProgramLog"));
  while (!outcome.log.empty() && outcome.log.back() == '\0') outcome.log.pop_back();
  outcome.log = withoutTimes(outcome.log);
  if (result == NvrtcResult::compilation) return outcome;
  if (Status failure = statusOf(result, "nvrtcCompileProgram"); !failure.ok())
    return outcome.log.empty() ? failure : Status(kToolchain, failure.message(), failure.hint(), outcome.log);
  MMC_RETURN_IF_ERROR(statusOf(getCubinSize(program.handle, &bytes), "nvrtcGetCUBINSize"));
  outcome.cubin.resize(bytes);
  if (bytes) MMC_RETURN_IF_ERROR(statusOf(getCubin(program.handle, outcome.cubin.data()), "nvrtcGetCUBIN"));
  outcome.compiled = true;
  return outcome;
}

} // namespace mmc::cuda

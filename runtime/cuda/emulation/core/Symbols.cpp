// Turns return addresses into source lines: one llvm-symbolizer process is kept for the life of this one and asked
// through a socket. Where there is none, module and offset are all that can be said.
#include "runtime/cuda/emulation/core/Report.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Scheduler.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <map>
#include <spawn.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

namespace mmc::emu {

namespace {

struct Place {
  std::string module;
  uint64_t offset = 0; // as the module's debug information counts
};

Place placeOf(uint64_t address) {
  struct Search {
    uint64_t address;
    Place place;
    bool found = false;
  } search{address, {}};
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *user) {
        auto &search = *static_cast<Search *>(user);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto &part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || search.address - info->dlpi_addr - part.p_vaddr >= part.p_memsz) continue;
          search.place = {info->dlpi_name, search.address - info->dlpi_addr};
          search.found = true;
          return 1;
        }
        return 0;
      },
      &search);
  if (!search.found) return {"unknown", address};
  // The program itself has no name; a module that was loaded from a descriptor has a name only we can open.
  if (search.place.module.empty()) {
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length > 0) search.place.module.assign(path, size_t(length));
  } else if (search.place.module.rfind("/proc/self/", 0) == 0) {
    search.place.module.replace(6, 4, std::to_string(getpid()));
  }
  return search.place;
}

class Symbolizer {
public:
  /// Frames from the innermost out, as pairs of function and "path:line:column"; empty if it cannot be asked.
  std::vector<std::pair<std::string, std::string>> ask(const Place &place) {
    std::vector<std::pair<std::string, std::string>> frames;
    if (!start()) return frames;
    char question[64];
    std::snprintf(question, sizeof question, "\" 0x%llx\n", static_cast<unsigned long long>(place.offset));
    const std::string line = "CODE \"" + place.module + question;
    if (send(child, line.data(), line.size(), MSG_NOSIGNAL) != ssize_t(line.size())) return frames;
    for (;;) {
      const std::string function = readLine();
      if (function.empty()) return frames;
      frames.push_back({function, readLine()});
    }
  }

private:
  bool start() {
    if (tried) return fromChild != nullptr;
    tried = true;
    for (const char *name : {"llvm-symbolizer-22", "/usr/lib/llvm-22/bin/llvm-symbolizer", "llvm-symbolizer"})
      if (spawn(name)) return true;
    return false;
  }

  bool spawn(const char *name) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const char *arguments[] = {name, "--inlines", "--demangle", "--skip-line-zero", "--output-style=LLVM", nullptr};
    pid_t process;
    const int failed = posix_spawnp(&process, name, &actions, nullptr, const_cast<char **>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed) {
      close(ends[0]);
      return false;
    }
    child = ends[0]; // the child ends when this process does: its input ends
    fromChild = fdopen(child, "r");
    return fromChild != nullptr;
  }

  std::string readLine() {
    std::string line;
    for (int c; (c = std::fgetc(fromChild)) != EOF && c != '\n';) line += char(c);
    return line;
  }

  bool tried = false;
  int child = -1;
  FILE *fromChild = nullptr;
};

/// Primitives are not what the reader looks for: their folders.
bool isPrimitive(const std::string &path) {
  const size_t end = path.rfind('/');
  if (end == std::string::npos) return false;
  const size_t begin = path.rfind('/', end - 1);
  const std::string folder = path.substr(begin + 1, end - begin - 1);
  for (const char *name : {"ptx", "copy", "mma", "sync", "base", "block", "map", "reduce", "math"})
    if (folder == name) return true;
  return false;
}

std::string shortFunction(std::string name) {
  const std::string hidden = "(anonymous namespace)::";
  for (size_t at; (at = name.find(hidden)) != std::string::npos;) name.erase(at, hidden.size());
  return name.substr(0, name.find('('));
}

/// "file.cu:12 in function" from "/path/file.cu:12:3"; empty if the line is not known.
std::string describeFrame(const std::string &function, const std::string &place) {
  const size_t column = place.rfind(':');
  const size_t line = column == std::string::npos ? column : place.rfind(':', column - 1);
  if (line == std::string::npos || place.rfind("??", 0) == 0 || place[line + 1] == '0') return {};
  const size_t slash = place.rfind('/', line);
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return place.substr(begin, column - begin) + " in " + shortFunction(function);
}

std::string describe(const Place &place) {
  static Symbolizer symbolizer;
  struct stat status;
  if (!place.module.empty() && stat(place.module.c_str(), &status) == 0) {
    const auto frames = symbolizer.ask(place);
    for (auto &[function, where] : frames)
      if (!isPrimitive(where.substr(0, where.find(':'))))
        if (std::string text = describeFrame(function, where); !text.empty()) return text;
    if (!frames.empty())
      if (std::string text = describeFrame(frames.back().first, frames.back().second); !text.empty()) return text;
  }
  std::ostringstream out;
  const size_t slash = place.module.rfind('/');
  out << (slash == std::string::npos ? place.module : place.module.substr(slash + 1)) << "+0x" << std::hex
      << place.offset;
  return out.str();
}

} // namespace

std::string describeSource(uint64_t returnAddress) {
  static std::map<std::pair<std::string, uint64_t>, std::string> cache;
  const Place place = placeOf(returnAddress - 1); // the call, not what follows it
  auto [at, added] = cache.try_emplace({place.module, place.offset});
  if (added) at->second = describe(place);
  return at->second;
}

bool sameSource(uint64_t a, uint64_t b) {
  if (a == b) return true;
  // Asked by every lane of every barrier that the compiler has duplicated, so answers are kept as long as no module can
  // have been exchanged: for the launch.
  static std::map<std::pair<uint64_t, uint64_t>, bool> answers;
  static uint32_t answersOf = 0;
  const Thread *thread = scheduler::current();
  const uint32_t launch = thread ? thread->block->launch->firstSerial : 0;
  if (launch == 0 || launch != answersOf) answers.clear();
  answersOf = launch;
  const auto [at, added] = answers.try_emplace({std::min(a, b), std::max(a, b)}, false);
  if (!added) return at->second;
  scheduler::onLargeStack([&, &same = at->second] {
    const std::string first = describeSource(a), second = describeSource(b);
    const bool known = first.find(" in ") != std::string::npos && second.find(" in ") != std::string::npos;
    same = !known || first == second;
  });
  return at->second;
}

} // namespace mmc::emu

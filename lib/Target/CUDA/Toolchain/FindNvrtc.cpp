// Where NVRTC may be: a toolkit, or a wheel of PyPI (nvidia-cuda-nvrtc-cu12, nvidia-cuda-nvrtc) in a Python
// environment. Nearer places come first: what the user names, what the loader knows, the toolkit, then environments
// from the active one to the machine's.
#include "lib/Target/CUDA/Toolchain/Nvrtc.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace mmc::cuda {

namespace {

namespace fs = std::filesystem;

constexpr const char *kNames[] = {"libnvrtc.so.13", "libnvrtc.so.12"};

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

/// Folders below `root` whose names begin so, the highest version first; none if there is no such root.
std::vector<std::string> foldersOf(const std::string &root, const std::string &prefix) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (fs::directory_iterator at(root, ignored), end; !ignored && at != end; at.increment(ignored))
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path().string());
  // Longer is higher where one is no prefix of the other: python3.9 before python3.11.
  std::sort(found.begin(), found.end(), [](const std::string &a, const std::string &b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  });
  return found;
}

void addLibrariesOf(const std::string &folder, std::vector<std::string> &paths) {
  for (const char *name : kNames) paths.push_back(folder + "/" + name);
}

/// A prefix such as /usr/local or a virtual environment, with its Pythons.
void addWheelsOf(const std::string &prefix, std::vector<std::string> &paths) {
  for (const std::string &python : foldersOf(prefix + "/lib", "python3"))
    for (const char *packages : {"site-packages", "dist-packages"})
      for (const char *wheel : {"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"})
        addLibrariesOf(python + "/" + packages + "/" + wheel, paths);
}

} // namespace

std::vector<std::string> nvrtcCandidates() {
  if (const std::string path = variable("MMC_NVRTC"); !path.empty()) return {path};
  std::vector<std::string> paths(std::begin(kNames), std::end(kNames));
  for (const char *name : {"CUDA_HOME", "CUDA_PATH"})
    if (const std::string home = variable(name); !home.empty()) addLibrariesOf(home + "/lib64", paths);
  addLibrariesOf("/usr/local/cuda/lib64", paths);
  for (const std::string &toolkit : foldersOf("/usr/local", "cuda-")) addLibrariesOf(toolkit + "/lib64", paths);
  for (const char *name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = variable(name); !prefix.empty()) {
      addLibrariesOf(prefix + "/lib", paths);
      addWheelsOf(prefix, paths);
    }
  if (const std::string home = variable("HOME"); !home.empty()) {
    addWheelsOf(home + "/.local", paths);
    for (const std::string &version : foldersOf(home + "/.pyenv/versions", "3")) addWheelsOf(version, paths);
  }
  addWheelsOf("/usr/local", paths);
  addWheelsOf("/usr", paths);
  return paths;
}

} // namespace mmc::cuda

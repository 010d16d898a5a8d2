// NVRTC for tests: opened by path where a toolkit or a wheel has it, declared by ourselves. Absent, `open()` says so
// and tests are skipped aloud.
#pragma once

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace mmc::test {

inline std::string readText(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Headers of the device library by the names that sources include them by: "ptx/warp.cuh".
inline std::map<std::string, std::string> deviceHeaders() {
  const std::filesystem::path root = MMC_SOURCE_DIR "/runtime/cuda/device";
  std::map<std::string, std::string> headers;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.path().extension() == ".cuh")
      headers[entry.path().lexically_relative(root).generic_string()] = readText(entry.path());
  return headers;
}

class Nvrtc {
public:
  struct Result {
    bool success = false;
    std::string log; // of the compiler and of ptxas
    std::vector<uint8_t> cubin;
  };

  static std::optional<Nvrtc> open() {
    for (const std::string &path : candidates())
      if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        Nvrtc nvrtc;
        if (nvrtc.load(library)) return nvrtc;
      }
    return std::nullopt;
  }

  std::string version() const {
    int major = 0, minor = 0;
    versionOf(&major, &minor);
    return std::to_string(major) + "." + std::to_string(minor);
  }

  Result compile(const std::string &source, const std::string &name, const std::string &arch,
                 const std::map<std::string, std::string> &headers, std::vector<std::string> more = {}) const {
    std::vector<const char *> texts, names, options;
    for (const auto &[headerName, text] : headers) {
      names.push_back(headerName.c_str());
      texts.push_back(text.c_str());
    }
    std::vector<std::string> all = {"-arch=" + arch, "-std=c++20", "-default-device", "-lineinfo",
                                    "--ptxas-options=-v"};
    all.insert(all.end(), more.begin(), more.end());
    for (const std::string &option : all) options.push_back(option.c_str());
    void *program = nullptr;
    Result result;
    if (create(&program, source.c_str(), name.c_str(), int(texts.size()), texts.data(), names.data()) != 0) {
      result.log = "the program could not be created";
      return result;
    }
    result.success = compileProgram(program, int(options.size()), options.data()) == 0;
    size_t size = 0;
    logSize(program, &size);
    result.log.resize(size);
    if (size) logText(program, result.log.data());
    size = 0;
    if (result.success) cubinSize(program, &size);
    result.cubin.resize(size);
    if (size) cubinBytes(program, reinterpret_cast<char *>(result.cubin.data()));
    destroy(&program);
    return result;
  }

private:
  static std::vector<std::string> candidates() {
    std::vector<std::string> paths;
    for (const char *name : {"libnvrtc.so.13", "libnvrtc.so.12"}) {
      paths.push_back(name);
      for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
        if (const char *home = std::getenv(variable)) paths.push_back(std::string(home) + "/lib64/" + name);
      paths.push_back(std::string("/usr/local/cuda/lib64/") + name);
      // Wheels: nvidia-cuda-nvrtc in any Python of the machine.
      for (const char *root : {"/usr/lib", "/usr/local/lib"}) {
        std::error_code ignored;
        for (const auto &python : std::filesystem::directory_iterator(root, ignored))
          for (const char *packages : {"site-packages", "dist-packages"})
            for (const char *wheel : {"nvidia/cuda_nvrtc/lib", "nvidia/cu13/lib"})
              if (python.path().filename().string().rfind("python3", 0) == 0)
                paths.push_back((python.path() / packages / wheel / name).string());
      }
    }
    return paths;
  }

  bool load(void *library) {
    const auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(versionOf, "nvrtcVersion") && find(create, "nvrtcCreateProgram") &&
           find(compileProgram, "nvrtcCompileProgram") && find(logSize, "nvrtcGetProgramLogSize") &&
           find(logText, "nvrtcGetProgramLog") && find(destroy, "nvrtcDestroyProgram") &&
           find(cubinSize, "nvrtcGetCUBINSize") && find(cubinBytes, "nvrtcGetCUBIN");
  }

  int (*versionOf)(int *, int *) = nullptr;
  int (*create)(void **, const char *, const char *, int, const char *const *, const char *const *) = nullptr;
  int (*compileProgram)(void *, int, const char *const *) = nullptr;
  int (*logSize)(void *, size_t *) = nullptr;
  int (*logText)(void *, char *) = nullptr;
  int (*cubinSize)(void *, size_t *) = nullptr;
  int (*cubinBytes)(void *, char *) = nullptr;
  int (*destroy)(void **) = nullptr;
};

} // namespace mmc::test

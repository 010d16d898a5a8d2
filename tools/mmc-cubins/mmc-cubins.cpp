// mmc-cubins: files of kernels to cubins, one per file, with the compiler and the cache of emitted kernels.
// Usage: mmc-cubins --architecture sm_90a -o FOLDER [--cache-dir DIR] FILE.cu...
// Files whose first line, `// archs: sm_80 sm_90a`, does not name the architecture are left out. Exit codes as mmc's: 3
// where there is no NVRTC.
#include "lib/Target/CUDA/Toolchain/Toolchain.h"
#include "runtime/src/FileIO.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

int usage() {
  std::fprintf(stderr, "usage: mmc-cubins --architecture sm_90a -o FOLDER [--cache-dir DIR] FILE.cu...\n");
  return 2;
}

int fail(const mmc::runtime::Status &status) {
  std::fprintf(stderr, "mmc-cubins: error: %s\nhint: %s\n", status.text().c_str(), status.hint().c_str());
  return int(status.code());
}

bool isFor(const std::string &text, const std::string &architecture) {
  const std::string first = text.substr(0, text.find('\n')) + " ";
  return first.starts_with("// archs:") && first.find(" " + architecture + " ") != std::string::npos;
}

} // namespace

int main(int count, char **values) {
  std::string architecture, folder;
  std::vector<std::string> paths;
  mmc::cuda::ToolchainOptions options;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (!word.starts_with("-")) {
      paths.push_back(word);
      continue;
    }
    if (++i == count) return usage();
    if (word == "--architecture")
      architecture = values[i];
    else if (word == "-o")
      folder = values[i];
    else if (word == "--cache-dir")
      options.cacheFolder = values[i];
    else
      return usage();
  }
  if (architecture.empty() || folder.empty() || paths.empty()) return usage();
  std::vector<mmc::cuda::KernelSource> sources;
  for (const std::string &path : paths) {
    std::ifstream in(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in.is_open()) {
      std::fprintf(stderr, "mmc-cubins: error: cannot read '%s'\nhint: name files of kernels, NAME.cu\n", path.c_str());
      return 1;
    }
    if (isFor(text, architecture)) sources.push_back({std::filesystem::path(path).stem().string(), text});
  }
  const auto images = compileCubins(sources, architecture, options);
  if (!images.ok()) return fail(images.status());
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string &bytes = (*images)[i].bytes;
    auto out = mmc::runtime::OutputFile::create(folder + "/" + sources[i].name + ".cubin");
    if (!out.ok()) return fail(out.status());
    mmc::runtime::Status status = out->write({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
    if (status.ok()) status = out->commit();
    if (!status.ok()) return fail(status);
  }
  std::printf("%zu cubins for %s\n", sources.size(), architecture.c_str());
  return 0;
}

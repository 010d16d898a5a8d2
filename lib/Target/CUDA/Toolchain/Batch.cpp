// Implements the batch. Invariant: threads take kernels in order, so when one fails every earlier one has been taken
// and will be finished; the first failure in order does not depend on who was faster.
#include "lib/Target/CUDA/Toolchain/Batch.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "runtime/src/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace mmc::cuda {

using runtime::Digest;
using runtime::Expected;
using runtime::Status;

namespace {

constexpr const char *kCacheFormat = "mmc kernel 1";

Digest keyOf(const Recipe &recipe, const KernelSource &source) {
  runtime::DigestStream stream;
  for (const std::string_view part : {std::string_view(kCacheFormat), std::string_view(recipe.identity),
                                      std::string_view(source.name), std::string_view(source.text)}) {
    stream.update(std::to_string(part.size()) + " ");
    stream.update(part);
  }
  return stream.finish();
}

/// Names are symbols and become names of files.
bool isIdentifier(const std::string &name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 200 && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

class Batch {
public:
  Batch(std::span<const KernelSource> sources, const Recipe &recipe, const ToolchainOptions &options)
      : sources(sources), recipe(recipe), options(options),
        folder(options.cacheFolder.empty() ? KernelCache::defaultFolder() : options.cacheFolder), cache(folder),
        results(sources.size()) {}

  Expected<std::vector<DeviceImage>> run() {
    for (const KernelSource &source : sources)
      if (!isIdentifier(source.name))
        return Status(kKernelDoesNotCompile,
                      "a kernel is called '" + source.name + "', expected an identifier of at most 200 characters");
    lookUp();
    if (!missing.empty()) {
      if (recipe.prepare) MMC_RETURN_IF_ERROR(recipe.prepare());
      MMC_RETURN_IF_ERROR(compileMissing());
    }
    for (const Status &failure : failures)
      if (!failure.ok()) return failure;
    remarkOnCache();
    std::vector<DeviceImage> images;
    for (size_t i = 0; i < sources.size(); ++i)
      images.push_back({std::move(results[i].bytes), {sources[i].name}, std::move(results[i].log)});
    return images;
  }

private:
  void lookUp() {
    for (size_t i = 0; i < sources.size(); ++i) {
      keys.push_back(keyOf(recipe, sources[i]));
      if (auto found = cache.find(keys[i]))
        results[i] = std::move(*found);
      else
        missing.push_back(i);
    }
    failures.resize(sources.size());
    done = sources.size() - missing.size();
    if (options.progress) options.progress(done, sources.size(), done);
  }

  Status compileMissing() {
    const size_t wanted = options.threads ? options.threads : runtime::availableCores();
    auto pool = runtime::ThreadPool::create(uint32_t(std::clamp<size_t>(wanted, 1, missing.size())));
    if (!pool.ok()) return pool.status();
    std::atomic<size_t> next = 0;
    std::atomic<bool> failed = false;
    (*pool)->run([&](uint32_t) {
      for (size_t taken; !failed && (taken = next++) < missing.size();)
        if (!compileOne(missing[taken])) failed = true;
    });
    return {};
  }

  bool compileOne(size_t index) {
    Expected<CompiledKernel> kernel = recipe.compile(sources[index], index);
    const Status kept = kernel.ok() ? cache.keep(keys[index], *kernel) : Status();
    const std::lock_guard lock(mutex);
    if (!kept.ok() && notKept.ok()) notKept = kept;
    if (!kernel.ok()) {
      failures[index] = kernel.status();
      return false;
    }
    results[index] = std::move(*kernel);
    if (options.progress) options.progress(++done, sources.size(), sources.size() - missing.size());
    return true;
  }

  void remarkOnCache() const {
    if (!options.remark || missing.empty()) return;
    if (folder.empty())
      options.remark("kernels are compiled without a cache: neither MMC_CACHE_DIR nor HOME names a folder for it");
    else if (!notKept.ok())
      options.remark("kernels are compiled without a cache: " + notKept.text());
  }

  const std::span<const KernelSource> sources;
  const Recipe &recipe;
  const ToolchainOptions &options;
  const std::string folder;
  const KernelCache cache;
  std::vector<Digest> keys;
  std::vector<size_t> missing;         // indices of sources, ascending
  std::vector<CompiledKernel> results; // written by the threads, as what follows, under the mutex
  std::vector<Status> failures;
  Status notKept; // why the cache did not take a kernel
  std::mutex mutex;
  size_t done = 0;
};

} // namespace

Expected<std::vector<DeviceImage>> compileBatch(std::span<const KernelSource> sources, const Recipe &recipe,
                                                const ToolchainOptions &options) {
  return Batch(sources, recipe, options).run();
}

} // namespace mmc::cuda

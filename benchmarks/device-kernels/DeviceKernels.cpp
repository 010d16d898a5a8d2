// How near do the device library's ways of moving and multiplying come to what the device gives? Reads are held against
// the best copy of the same run, mma.sync against wgmma. Usage: device-kernels --kernels FOLDER [--driver LIBRARY]
// [--small] [--json FILE]
// Memory is cold: a buffer is many times the L2 cache, and every pass goes through all of it. --small shrinks
// everything to what the emulated device does in a second; its figures mean nothing.
#include "benchmarks/device-kernels/Rig.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

using namespace mmc;
using nlohmann::json;

namespace {

/// Pairs of bf16 that are normally distributed: multipliers take less power for zeros, and then run faster.
std::vector<uint32_t> normalPairs(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto half = [&] {
    const float value = normal(random);
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits >> 16;
  };
  std::vector<uint32_t> words(count);
  for (uint32_t &word : words) word = half() << 16 | half();
  return words;
}

class Benchmark {
public:
  Benchmark(benchmark::Rig &rig, bool small)
      : rig(rig), bytes(small ? 1 << 16 : size_t(4) << 30), repeats(small ? 1 : 7), rounds(small ? 2 : 20000),
        from(rig.allocate(bytes, 1)), to(rig.allocate(bytes, 2)), operands(rig.upload(normalPairs(16384))) {}

  json run() {
    measureCopies();
    line("readStream", "device_streams", 256, 4, 0);
    line("readByAsyncCopies", "device_streams", 256, 4, 32768);
    line("readByBulkCopies", "device_bulk", 128, 1, 66560);
    measureProducts();
    measureLaunches();
    return report;
  }

private:
  /// A copy reads and writes: its bytes count twice.
  void measureCopies() {
    const double driver = 2.0 * double(bytes) / rig.seconds(1, repeats, [&] { rig.copy(to, from, bytes); });
    const auto kernel = rig.find("device_streams", "copyStream", 0);
    const uint32_t blocks = uint32_t(rig.processors) * 8;
    const double own =
        kernel ? 2.0 * double(bytes) /
                     rig.seconds(1, repeats, [&] { rig.launch(kernel, blocks, 256, 0, to, from, bytes / 16); })
               : 0;
    bandwidth = std::max(driver, own);
    report["bandwidth"] = bandwidth;
    report["copy_by_driver"] = driver;
    report["copy_by_kernel"] = own;
    std::printf("  %-24s %10.1f GB/s, of the driver %.1f, of a kernel %.1f\n", "copy", bandwidth / 1e9, driver / 1e9,
                own / 1e9);
  }

  void line(const char *name, const char *module, uint32_t threads, uint32_t blocksPerProcessor, size_t sharedBytes) {
    const auto kernel = rig.find(module, name, sharedBytes);
    if (!kernel) return skip(name, module);
    const uint32_t blocks = uint32_t(rig.processors) * blocksPerProcessor;
    const double rate = double(bytes) / rig.seconds(1, repeats, [&] {
      rig.launch(kernel, blocks, threads, sharedBytes, to, from, bytes / 16);
    });
    report["reads"][name] = {{"bytes_per_second", rate}, {"part_of_bandwidth", rate / bandwidth}};
    std::printf("  %-24s %10.1f GB/s %6.1f %% of the copy\n", name, rate / 1e9, 100 * rate / bandwidth);
  }

  void measureProducts() {
    // FLOP of a block and round: warps or warpgroups, products, 2 m n k.
    const double wgmma = rate("wgmmaRate", "device_wgmma", 1, 49152, 2.0 * 4 * 2 * 64 * 256 * 16);
    const double mma = rate("mmaRate", "device_products", 2, 0, 8.0 * 8 * 2 * 16 * 8 * 16);
    if (wgmma > 0 && mma > 0) report["products"]["mma_part_of_wgmma"] = mma / wgmma;
  }

  double rate(const char *name, const char *module, uint32_t blocksPerProcessor, size_t sharedBytes, double flop) {
    const auto kernel = rig.find(module, name, sharedBytes);
    if (!kernel) return skip(name, module), 0;
    const uint32_t blocks = uint32_t(rig.processors) * blocksPerProcessor;
    const double found = flop * double(rounds) * blocks / rig.seconds(1, repeats, [&] {
      rig.launch(kernel, blocks, 256, sharedBytes, to, operands, rounds);
    });
    report["products"][name] = {{"flop_per_second", found}};
    std::printf("  %-24s %10.1f TFLOP/s\n", name, found / 1e12);
    return found;
  }

  void measureLaunches() {
    const auto kernel = rig.find("device_streams", "nothing", 0);
    if (!kernel) return skip("nothing", "device_streams");
    const int times = bytes > 1 << 20 ? 1000 : 10;
    const double one = rig.seconds(times, repeats, [&] { rig.launch(kernel, 1, 32, 0, to, from, 0); });
    report["launch_seconds"] = one;
    std::printf("  %-24s %10.2f us\n", "launch", one * 1e6);
  }

  void skip(const char *name, const char *module) {
    report["skipped"].push_back(name);
    std::printf("  skipped: %s: no module %s\n", name, module);
  }

  benchmark::Rig &rig;
  const size_t bytes;
  const int repeats;
  const unsigned long long rounds;
  const cuda::DevicePointer from, to, operands;
  double bandwidth = 0;
  json report;
};

int usage() {
  std::fprintf(stderr, "usage: device-kernels --kernels FOLDER [--driver LIBRARY] [--small] [--json FILE]\n");
  return 2;
}

} // namespace

int main(int count, char **values) {
  std::string kernels, driver = cuda::kSystemDriver, file;
  bool small = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (word == "--small") {
      small = true;
      continue;
    }
    if (++i == count) return usage();
    if (word == "--kernels")
      kernels = values[i];
    else if (word == "--driver")
      driver = values[i];
    else if (word == "--json")
      file = values[i];
    else
      return usage();
  }
  if (kernels.empty()) return usage();
  benchmark::Rig rig(driver, kernels);
  std::printf("%s, %d multiprocessors\n", rig.name.c_str(), rig.processors);
  json report = Benchmark(rig, small).run();
  report["device"] = {{"name", rig.name},
                      {"multiprocessors", rig.processors},
                      {"architecture", "sm_" + std::to_string(rig.major * 10 + rig.minor)}};
  report["small"] = small;
  if (file.empty()) return 0;
  std::ofstream out(file, std::ios::binary);
  out << report.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
  if (out.flush()) return 0;
  std::fprintf(stderr, "device-kernels: error: cannot write '%s'\nhint: check the folder\n", file.c_str());
  return 1;
}

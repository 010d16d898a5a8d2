#include "test/E2E/CountedLaunches.h"

#include "dialects/Tile/IR/Tile.h"
#include "runtime/src/PlanFile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace mmc::test {

std::map<std::string, PlanFloor> floorsOf(std::span<const uint8_t> plan) {
  std::map<std::string, PlanFloor> floors;
  auto image = runtime::PlanImage::copy(plan);
  EXPECT_TRUE(image.ok());
  if (!image.ok()) return floors;
  mlir::DialectRegistry registry;
  tile::registerTileDialect(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  const auto text = image->bytes(runtime::SegmentKind::text);
  auto kernels =
      mlir::parseSourceString<mlir::ModuleOp>({reinterpret_cast<const char *>(text.data()), text.size()}, &context);
  EXPECT_TRUE(kernels) << "the plan's text cannot be parsed";
  if (!kernels) return floors;
  kernels->walk([&](tile::KernelOp kernel) {
    PlanFloor &entry = floors[kernel.getSymName().str()];
    if (auto floor = analysis::floorOf(kernel); mlir::succeeded(floor)) entry.floor = *floor;
    for (unsigned i = 0; i < kernel.getNumKernelArguments(); ++i)
      if (auto work = kernel.getArgAttrOfType<tile::WorkAttr>(i, tile::kWorkAttr))
        entry.list = tile::stringifyWorkFilter(work.getFilter()).str();
  });
  return floors;
}

LoopLines loopLinesOf(const std::string &folder) {
  LoopLines loops;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    std::vector<int> begun; // the depths of braces that loops began at
    int depth = 0;
    std::string text;
    for (unsigned number = 1; std::getline(file, text); ++number) {
      if (text.find("for (") != std::string::npos) begun.push_back(depth);
      if (!begun.empty()) loops[entry.path().filename().string()].insert(number);
      depth += int(std::count(text.begin(), text.end(), '{')) - int(std::count(text.begin(), text.end(), '}'));
      while (!begun.empty() && depth <= begun.back()) begun.pop_back();
    }
  }
  return loops;
}

/// "file.cu:12 in kernel": whether that line is in a loop.
static bool isInLoop(const std::string &line, const LoopLines &loops) {
  const size_t colon = line.find(':');
  const auto file = loops.find(line.substr(0, colon));
  if (file == loops.end() || colon == std::string::npos) return false;
  return file->second.contains(unsigned(std::strtoul(line.c_str() + colon + 1, nullptr, 10)));
}

uint64_t KernelCounts::loopConflicts() const {
  uint64_t sum = 0;
  for (const CountedPlace &place : places) sum += place.inLoop ? place.conflicts : 0;
  return sum;
}

CountsFile::CountsFile() {
  char name[] = "/tmp/mmc-counts-XXXXXX";
  const int file = mkstemp(name);
  EXPECT_GE(file, 0);
  if (file >= 0) close(file);
  path = name;
  setenv("MMC_EMU_COUNTS", name, 1);
}

CountsFile::~CountsFile() {
  unsetenv("MMC_EMU_COUNTS");
  unlink(path.c_str());
}

static void add(KernelCounts &kernel, const nlohmann::json &launch, const LoopLines &loops) {
  ++kernel.launches;
  for (const char *direction : {"loads", "stores", "atomics"}) {
    const nlohmann::json &traffic = launch[direction];
    kernel.sectors += traffic["sectors"].get<double>();
    kernel.wholeSectors += traffic["whole_sectors"].get<double>();
    kernel.distinctSectors += traffic["distinct_sectors"].get<double>();
  }
  kernel.wavefronts += launch["wavefronts"].get<double>();
  kernel.conflicts += launch["conflicts"].get<double>();
  for (const nlohmann::json &place : launch["places"]) {
    CountedPlace *known = nullptr;
    const std::string line = place["line"], kind = place["kind"];
    const bool shared = place["memory"] == "shared";
    for (CountedPlace &other : kernel.places)
      if (other.line == line && other.kind == kind && other.shared == shared) known = &other;
    if (!known) known = &kernel.places.emplace_back(CountedPlace{line, kind, shared, isInLoop(line, loops)});
    known->sectors += place["sectors"].get<uint64_t>();
    known->wholeSectors += place["whole_sectors"].get<uint64_t>();
    known->wavefronts += place["wavefronts"].get<uint64_t>();
    known->conflicts += place["conflicts"].get<uint64_t>();
  }
}

std::vector<KernelCounts> CountsFile::take(const std::map<std::string, PlanFloor> &floors, const LoopLines &loops,
                                           const UnitsOfLaunch &units) {
  std::ifstream file(path);
  file.seekg(std::streamoff(read));
  std::stringstream rest;
  rest << file.rdbuf();
  read += rest.str().size();
  std::map<std::string, std::vector<nlohmann::json>> launches;
  while (rest >> std::ws && !rest.eof()) {
    nlohmann::json launch;
    rest >> launch;
    const std::string symbol = launch["kernel"];
    launches[symbol.substr(0, symbol.rfind("__"))].push_back(std::move(launch));
  }
  std::vector<KernelCounts> kernels;
  for (const auto &[name, list] : launches) {
    const auto floor = floors.find(name);
    EXPECT_NE(floor, floors.end()) << name;
    if (floor == floors.end()) continue;
    const analysis::UnitCounts work = units(name, floor->second, list.size());
    if (work.empty()) continue;
    KernelCounts &kernel = kernels.emplace_back();
    kernel.kernel = name;
    if (const std::optional<analysis::KernelFloor> &known = floor->second.floor) {
      kernel.floorBytes = double(list.size()) * analysis::total(known->bytes(), work);
      kernel.tiledBytes = double(list.size()) * analysis::totalThroughL2(*known, work);
    }
    for (const nlohmann::json &launch : list) add(kernel, launch, loops);
  }
  return kernels;
}

static std::string row(const char *format, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

KernelCounts sumOf(const std::vector<KernelCounts> &kernels) {
  KernelCounts sum;
  sum.kernel = "all";
  for (const KernelCounts &k : kernels) {
    sum.launches += k.launches;
    sum.sectors += k.sectors, sum.wholeSectors += k.wholeSectors, sum.distinctSectors += k.distinctSectors;
    sum.wavefronts += k.wavefronts, sum.conflicts += k.conflicts;
    sum.floorBytes += k.hasFloor() ? k.floorBytes : 32 * k.distinctSectors;
    sum.tiledBytes += k.hasFloor() ? k.tiledBytes : 32 * k.sectors;
    sum.places.insert(sum.places.end(), k.places.begin(), k.places.end());
  }
  return sum;
}

std::string tableOf(const std::string &title, const std::vector<KernelCounts> &kernels) {
  std::string text = title + "\n" +
                     row("%-38s %11s %9s %11s %7s %7s %10s %8s\n", "kernel", "floor bytes", "distinct/", "tiled bytes",
                         "moved/", "whole", "conflicts", "in loops");
  std::vector<KernelCounts> rows = kernels;
  rows.push_back(sumOf(kernels));
  for (const KernelCounts &k : rows)
    text += row("%-38s %11.0f %9.3f %11.0f %7.3f %6.1f%% %10.0f %8llu\n", k.kernel.c_str(), k.floorBytes,
                k.hasFloor() ? k.distinctOverFloor() : 0, k.tiledBytes, k.hasFloor() ? k.movedOverTiled() : 0,
                100 * k.wholeShare(), k.conflicts, static_cast<unsigned long long>(k.loopConflicts()));
  for (const KernelCounts &k : kernels)
    for (const CountedPlace &place : k.places) {
      if (place.conflicts)
        text += row("  %s: %s, %llu of %llu wavefronts are conflicts%s\n", place.line.c_str(), place.kind.c_str(),
                    static_cast<unsigned long long>(place.conflicts), static_cast<unsigned long long>(place.wavefronts),
                    place.inLoop ? ", in a loop" : "");
      else if (double(place.sectors - place.wholeSectors) > 0.01 * k.sectors)
        text += row("  %s: %s, %llu of %llu sectors in part\n", place.line.c_str(), place.kind.c_str(),
                    static_cast<unsigned long long>(place.sectors - place.wholeSectors),
                    static_cast<unsigned long long>(place.sectors));
    }
  return text;
}

} // namespace mmc::test

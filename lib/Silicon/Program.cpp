// Implements the program. A case is skipped, aloud, where the folder has no module of it (cubins of an older
// architecture), and on the emulation where nothing is known of it but what a device will give.
#include "lib/Silicon/Program.h"

#include "lib/Silicon/Compare.h"
#include "lib/Silicon/VectorFile.h"
#include "runtime/src/FileIO.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace mmc::silicon {

using nlohmann::json;
using runtime::Expected;
using runtime::Status;

namespace {

const char *nameOf(Comparison comparison) {
  switch (comparison) {
  case Comparison::exact:
    return "exact";
  case Comparison::product:
    return "product";
  case Comparison::approximation:
    return "approximation";
  case Comparison::recorded:
    break;
  }
  return "recorded";
}

bool exists(const std::string &path) { return access(path.c_str(), R_OK) == 0; }

json toJson(const Verdict &verdict) {
  json one = {{"good", verdict.good}, {"worst", verdict.worst}};
  if (!verdict.text.empty()) one["first"] = verdict.text;
  return one;
}

class Program {
public:
  explicit Program(const ProgramOptions &options) : options(options) {}

  Expected<Summary> run() {
    for (const std::string &path : options.against) {
      Expected<VectorFile> file = readVectors(path);
      if (!file.ok()) return file.status();
      recorded.push_back(std::move(*file));
    }
    choose();
    if (chosen.empty())
      return Status(kSiliconModule, "no case is left to run of " + std::to_string(summary.skipped) + " in '" +
                                        options.workers.kernels + "'");
    const auto start = std::chrono::steady_clock::now();
    Expected<AllResults> all = runInWorkers(chosen, options.workers, {});
    if (!all.ok()) return all.status();
    device = all->device;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t i = 0; i < chosen.size(); ++i) judge(chosen[i], all->results[i]);
    std::printf("%s, %s: %zu cases in %.1f s, %zu failed, %zu differ from their reference, %zu from what is supposed; "
                "%zu compared with recorded "
                "vectors, %zu differ; %zu skipped\n",
                device.name.c_str(), device.sm().c_str(), summary.cases, seconds, summary.failed,
                summary.differFromReference, summary.differFromSupposed, summary.compared, summary.differFromRecorded,
                summary.skipped);
    MMC_RETURN_IF_ERROR(writeFiles(*all));
    return summary;
  }

private:
  void choose() {
    for (Case &c : allCases()) {
      if (c.name.find(options.only) == std::string::npos) continue;
      const std::string module = options.workers.kernels + "/" + c.module;
      const bool emulated = exists(module + ".so");
      if (!emulated && !exists(module + ".cubin"))
        skip(c, "no module " + c.module);
      else if (emulated && c.comparison == Comparison::recorded)
        skip(c, "the emulation does not model it");
      else
        chosen.push_back(std::move(c));
    }
  }

  void skip(const Case &c, const std::string &why) {
    std::printf("skipped: %s: %s\n", c.name.c_str(), why.c_str());
    cases.push_back({{"name", c.name}, {"skipped", why}});
    ++summary.skipped;
  }

  void judge(const Case &c, const CaseResult &result) {
    ++summary.cases;
    json one = {{"name", c.name}, {"comparison", nameOf(c.comparison)}, {"supposed", c.supposed}};
    if (result.ran) {
      const Verdict verdict = compareWithReference(c, result.output);
      one["reference"] = toJson(verdict);
      if (!verdict.good) {
        ++(c.supposed ? summary.differFromSupposed : summary.differFromReference);
        std::printf("differs: %s: %s%s\n", c.name.c_str(), verdict.text.c_str(),
                    c.supposed ? " (the manual leaves it open)" : "");
      }
      for (size_t file = 0; file < recorded.size(); ++file) compare(c, result.output, file, one);
    } else {
      ++summary.failed;
      one["failure"] = result.failure;
      std::printf("failed: %s: %s\n", c.name.c_str(), result.failure.c_str());
    }
    cases.push_back(std::move(one));
  }

  void compare(const Case &c, const Words &output, size_t file, json &one) {
    const std::string &path = options.against[file];
    const Vector *vector = recorded[file].find(c.name);
    if (!vector || vector->inputs != digestOfInputs(c)) {
      std::printf("not compared: %s: '%s' %s\n", c.name.c_str(), path.c_str(),
                  vector ? "has it with other inputs" : "does not have it");
      return;
    }
    ++summary.compared;
    const Verdict verdict = compareWithRecorded(c, output, vector->output);
    one["recorded"][path] = toJson(verdict);
    if (verdict.good) return;
    ++summary.differFromRecorded;
    std::printf("differs from '%s': %s: %s\n", path.c_str(), c.name.c_str(), verdict.text.c_str());
  }

  Status writeFiles(const AllResults &all) const {
    if (!options.record.empty()) {
      VectorFile file{device, {}};
      for (size_t i = 0; i < chosen.size(); ++i)
        if (all.results[i].ran)
          file.vectors.push_back({chosen[i].name, digestOfInputs(chosen[i]), all.results[i].output});
      MMC_RETURN_IF_ERROR(writeVectors(options.record, file));
    }
    if (options.json.empty()) return {};
    const json report = {
        {"device", {{"name", device.name}, {"architecture", device.sm()}, {"driver", device.driverVersion}}},
        {"seconds", seconds},
        {"summary",
         {{"cases", summary.cases},
          {"failed", summary.failed},
          {"skipped", summary.skipped},
          {"differ_from_reference", summary.differFromReference},
          {"differ_from_what_is_supposed", summary.differFromSupposed},
          {"compared_with_recorded", summary.compared},
          {"differ_from_recorded", summary.differFromRecorded}}},
        {"cases", cases}};
    const std::string text = report.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
    Expected<runtime::OutputFile> out = runtime::OutputFile::create(options.json);
    if (!out.ok()) return out.status();
    MMC_RETURN_IF_ERROR(out->write({reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
    return out->commit();
  }

  const ProgramOptions &options;
  std::vector<VectorFile> recorded;
  std::vector<Case> chosen;
  DeviceFacts device;
  Summary summary;
  double seconds = 0;
  json cases = json::array();
};

} // namespace

Expected<Summary> runProgram(const ProgramOptions &options) { return Program(options).run(); }

} // namespace mmc::silicon

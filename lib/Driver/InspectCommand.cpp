// mmc inspect: what a plan, a model description, a safetensors file or a model folder holds.
#include "lib/Driver/CompileFlags.h"
#include "lib/Driver/ModelSummary.h"
#include "lib/Driver/PlanReport.h"
#include "runtime/src/Safetensors.h"

#include <map>
#include <nlohmann/json.hpp>

namespace mmc::driver {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json &json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json tensorJson(const runtime::TensorInfo &tensor) {
  return {{"name", tensor.name},
          {"dtype", runtime::tensorTypeName(tensor.type)},
          {"shape", std::vector<uint64_t>(tensor.shape.begin(), tensor.shape.end())},
          {"offset", tensor.offset},
          {"bytes", tensor.bytes}};
}

Status inspectSafetensors(const std::string &path, bool json) {
  auto file = runtime::SafetensorsFile::open(path);
  MMC_RETURN_IF_ERROR(file.status());
  if (json) {
    Json object = {{"kind", "safetensors"}, {"file_bytes", file->size()}};
    object["metadata"] = Json::object();
    for (const auto &[key, value] : file->metadata()) object["metadata"][std::string(key)] = value;
    object["tensors"] = Json::array();
    for (const runtime::TensorInfo &tensor : file->tensors()) object["tensors"].push_back(tensorJson(tensor));
    return writeOutput(dump(object));
  }
  std::string text =
      cat(path, ": safetensors, ", file->tensors().size(), " tensors, ", formatBytes(file->size()), "\n");
  for (const runtime::TensorInfo &tensor : file->tensors())
    text += cat(runtime::tensorTypeName(tensor.type), "  ", tensor.shapeText(), "  ", runtime::printable(tensor.name),
                "\n");
  return writeOutput(text);
}

Json summaryJson(const ModelSummary &summary) {
  return {{"parameters", {{"total", summary.parametersTotal}, {"active", summary.parametersActive}}},
          {"name", summary.name},
          {"layers", summary.layers}};
}

Status inspectModel(const std::string &path, bool json) {
  auto summary = summarizeModel(path);
  MMC_RETURN_IF_ERROR(summary.status());
  if (json) {
    Json object = {{"kind", "model"}};
    object.update(summaryJson(*summary));
    return writeOutput(dump(object));
  }
  return writeOutput(cat(path, ": model description, ", summary->name, ", ", summary->layers, " layers, ",
                         formatCount(summary->parametersTotal), " parameters, ", formatCount(summary->parametersActive),
                         " active per token\n"));
}

/// The tensors of a checkpoint by type: their number and bytes.
std::map<std::string, std::pair<uint64_t, uint64_t>> byType(const runtime::Checkpoint &checkpoint) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> types;
  for (const runtime::TensorInfo &tensor : checkpoint.tensors()) {
    auto &[count, bytes] = types[runtime::tensorTypeName(tensor.type)];
    ++count;
    bytes += tensor.bytes;
  }
  return types;
}

bool hasCheckpoint(const std::string &folder) {
  return runtime::InputFile::open(folder + "/model.safetensors").ok() ||
         runtime::InputFile::open(folder + "/model.safetensors.index.json").ok();
}

Status inspectFolder(const std::string &folder, bool json) {
  auto summary = summarizeModel(folder);
  MMC_RETURN_IF_ERROR(summary.status());
  Json object = {{"kind", "checkpoint"}};
  object.update(summaryJson(*summary));
  object["weights"] = nullptr;
  std::string text = cat(folder, ": model folder, ", summary->name, ", ", summary->layers, " layers, ",
                         formatCount(summary->parametersTotal), " parameters, ", formatCount(summary->parametersActive),
                         " active per token\n");
  if (hasCheckpoint(folder)) {
    auto checkpoint = runtime::Checkpoint::open(folder);
    MMC_RETURN_IF_ERROR(checkpoint.status());
    Json types = Json::object();
    text += cat("weights: ", checkpoint->tensors().size(), " tensors in ", checkpoint->files().size(), " files\n");
    for (const auto &[name, entry] : byType(*checkpoint)) {
      types[name] = {{"tensors", entry.first}, {"bytes", entry.second}};
      text += cat("  ", name, ": ", entry.first, " tensors, ", formatBytes(entry.second), "\n");
    }
    object["weights"] = {
        {"files", checkpoint->files().size()}, {"tensors", checkpoint->tensors().size()}, {"types", types}};
  } else {
    text += "weights: none\n";
  }
  return writeOutput(json ? dump(object) : text);
}

Status inspectPlan(const std::string &path, bool json) {
  auto report = readPlanReport(path);
  MMC_RETURN_IF_ERROR(report.status());
  return writeOutput(json ? planJson(*report) + "\n" : planText(*report));
}

Status inspect(const std::string &path, bool json) {
  switch (inputKind(path)) {
  case InputKind::modelFolder:
    return inspectFolder(path, json);
  case InputKind::configFile:
  case InputKind::modelText:
    return inspectModel(path, json);
  case InputKind::safetensors:
    return inspectSafetensors(path, json);
  case InputKind::plan:
    return inspectPlan(path, json);
  }
  return {};
}

} // namespace

void addInspectCommand(const CommandLine &line) {
  struct Flags {
    std::string path;
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App *command = line.add("inspect", "show what a plan, model description, safetensors file or model folder holds",
                               [flags] { return inspect(flags->path, flags->json); });
  command->add_option("file", flags->path, "plan, model.mlir, safetensors, config.json or HF_DIR")
      ->required()
      ->type_name("FILE");
  addSwitch(command, "--json", flags->json, "print one JSON object");
}

} // namespace mmc::driver

// Opens checkpoints in the Hugging Face layout: one file, or an index and its shards. The index is checked against what
// the shards contain.
#include "runtime/src/Errors.h"
#include "runtime/src/JsonStream.h"
#include "runtime/src/Safetensors.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <sys/stat.h>

namespace mmc::runtime {

namespace {

constexpr uint64_t kMaxIndex = 100'000'000;
constexpr size_t kMaxShards = 4096;

std::string inQuotes(std::string_view name) { return "'" + std::string(name.substr(0, 200)) + "'"; }

/// Accepts {"weight_map": {tensor: file}} and passes over all other keys, whatever they hold.
class IndexParser : public JsonHandler {
public:
  explicit IndexParser(ShardIndex &index) : index(index) {}
  bool sawMap = false;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(int64_t) override { return value(); }
  bool number_unsigned(uint64_t) override { return value(); }
  bool number_float(double, const std::string &) override { return value(); }
  bool start_array(std::size_t) override { return inMap() || mapNext || depth == 0 ? refuse("an array") : open(); }
  bool end_array() override { return --depth, true; }
  bool end_object() override { return --depth, true; }

  bool start_object(std::size_t) override {
    if (mapNext && depth == 1) {
      mapNext = false;
      sawMap = inWeightMap = true;
    } else if (inMap()) {
      return refuse("an object");
    }
    return open();
  }

  bool key(std::string &text) override {
    if (inMap()) return name = index.arena.copy(text), true;
    if (depth == 1) {
      inWeightMap = false;
      mapNext = text == "weight_map";
      if (mapNext && sawMap) return fail("has weight_map twice");
    }
    return true;
  }

  bool string(std::string &text) override {
    if (!inMap()) return value();
    auto [at, added] = numbers.try_emplace(text, uint32_t(index.shards.size()));
    if (added) {
      if (index.shards.size() == kMaxShards) return fail("names more than " + std::to_string(kMaxShards) + " shards");
      index.shards.push_back(index.arena.copy(text));
    }
    index.weights.emplace_back(name, at->second);
    return true;
  }

protected:
  std::string place() const override {
    return inMap() || mapNext ? "weight_map, which maps tensors to files" : "the top level";
  }

private:
  bool inMap() const { return inWeightMap && depth == 2; }
  bool value() {
    if (inMap() || mapNext || depth == 0) return refuse("a value that is no text");
    return true;
  }
  bool open() { return ++depth > 16 ? fail("is nested deeper than 16 levels") : true; }

  ShardIndex &index;
  std::map<std::string, uint32_t> numbers;
  std::string_view name;
  int depth = 0;
  bool inWeightMap = false, mapNext = false;
};

bool exists(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

bool isFolder(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool isPlainShardName(std::string_view name) {
  return name.ends_with(".safetensors") && name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

} // namespace

Expected<ShardIndex> readShardIndex(const std::string &path) {
  Expected<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  std::vector<uint8_t> first(size_t(std::min<uint64_t>(file->size(), 256)));
  MMC_RETURN_IF_ERROR(file->readAt(0, first));
  const std::string impostor = describeImpostor(first);
  if (first.empty() || first[0] != '{')
    return Status(kSafetensorsIndex, path + (impostor.empty() ? " does not start with '{'" : " is " + impostor));
  if (file->size() > kMaxIndex)
    return Status(kSafetensorsIndex, path + " has " + std::to_string(file->size()) + " bytes, expected at most " +
                                         std::to_string(kMaxIndex));
  ShardIndex index;
  IndexParser parser(index);
  Status status;
  if (!parseJson(*file, 0, file->size(), parser, status)) {
    if (!status.ok()) return status;
    return Status(kSafetensorsIndex, path + " " + parser.failure);
  }
  if (!parser.sawMap) return Status(kSafetensorsIndex, path + " has no weight_map");
  for (std::string_view shard : index.shards)
    if (!isPlainShardName(shard))
      return Status(kSafetensorsIndex,
                    path + " names shard " + inQuotes(shard) + ", expected a .safetensors file in the same folder");
  std::sort(index.weights.begin(), index.weights.end());
  auto twice = std::adjacent_find(index.weights.begin(), index.weights.end(),
                                  [](const auto &a, const auto &b) { return a.first == b.first; });
  if (twice != index.weights.end())
    return Status(kSafetensorsIndex, path + " has tensor " + inQuotes(twice->first) + " twice in weight_map");
  return index;
}

Expected<Checkpoint> Checkpoint::open(const std::string &path) {
  Checkpoint checkpoint;
  const std::string single = isFolder(path) ? path + "/model.safetensors" : path;
  const std::string index = path + "/model.safetensors.index.json";
  if (exists(single)) {
    Expected<SafetensorsFile> file = SafetensorsFile::open(single);
    if (!file.ok()) return file.status();
    checkpoint.shards.push_back(std::move(*file));
  } else if (exists(index)) {
    MMC_RETURN_IF_ERROR(checkpoint.openIndexed(path, index));
  } else if (isFolder(path)) {
    return Status(kNoCheckpoint, path + " has neither model.safetensors nor model.safetensors.index.json");
  } else {
    return Status(kNoCheckpoint, path + " does not exist");
  }
  MMC_RETURN_IF_ERROR(checkpoint.collect());
  return checkpoint;
}

Status Checkpoint::openIndexed(const std::string &folder, const std::string &indexPath) {
  Expected<ShardIndex> index = readShardIndex(indexPath);
  if (!index.ok()) return index.status();
  for (std::string_view shard : index->shards) {
    const std::string shardPath = folder + "/" + std::string(shard);
    if (!exists(shardPath))
      return Status(kSafetensorsIndex, indexPath + " names shard " + inQuotes(shard) + ", which is missing");
    Expected<SafetensorsFile> file = SafetensorsFile::open(shardPath);
    if (!file.ok()) return file.status();
    shards.push_back(std::move(*file));
  }
  for (const auto &[name, shard] : index->weights)
    if (!shards[shard].find(name))
      return Status(kSafetensorsIndex, indexPath + " says that tensor " + inQuotes(name) + " is in " +
                                           std::string(index->shards[shard]) + ", which does not have it");
  return {};
}

Status Checkpoint::collect() {
  // The files hand their tables over: with a million tensors a second copy would be felt.
  size_t count = 0;
  for (const SafetensorsFile &shard : shards) count += shard.table.size();
  if (shards.size() == 1)
    table = std::move(shards[0].table);
  else
    table.reserve(count);
  for (uint32_t i = 0; i < shards.size() && shards.size() > 1; ++i) {
    for (TensorInfo &tensor : shards[i].table) tensor.file = i;
    table.insert(table.end(), shards[i].table.begin(), shards[i].table.end());
    std::vector<TensorInfo>().swap(shards[i].table);
  }
  if (shards.size() > 1)
    std::sort(table.begin(), table.end(), [](const TensorInfo &a, const TensorInfo &b) { return a.name < b.name; });
  auto twice = std::adjacent_find(table.begin(), table.end(),
                                  [](const TensorInfo &a, const TensorInfo &b) { return a.name == b.name; });
  if (twice == table.end()) return {};
  return Status(kSafetensorsIndex, "tensor " + inQuotes(twice->name) + " is in two shards: " +
                                       shards[twice->file].path() + " and " + shards[std::next(twice)->file].path());
}

Status Checkpoint::checkTails() const {
  std::vector<const TensorInfo *> last(shards.size());
  for (const TensorInfo &tensor : table)
    if (tensor.bytes && (!last[tensor.file] || tensor.offset > last[tensor.file]->offset)) last[tensor.file] = &tensor;
  std::vector<uint8_t> part(std::min<uint64_t>(kTail, uint64_t(64) << 10));
  for (const TensorInfo *tensor : last) {
    if (!tensor) continue;
    const uint64_t length = std::min(tensor->bytes, kTail);
    bool zero = true;
    for (uint64_t at = tensor->bytes - length; zero && at < tensor->bytes; at += part.size()) {
      part.resize(std::min<uint64_t>(part.size(), tensor->bytes - at));
      MMC_RETURN_IF_ERROR(read(*tensor, at, part));
      zero = std::all_of(part.begin(), part.end(), [](uint8_t byte) { return byte == 0; });
    }
    part.resize(std::min<uint64_t>(kTail, uint64_t(64) << 10));
    if (zero)
      return Status(kSafetensorsTruncated, fileOf(*tensor).path() + ": the last " + std::to_string(length) +
                                               " bytes of the file, in tensor '" +
                                               std::string(tensor->name.substr(0, 240)) +
                                               "', are all zero, expected weights: the download was not complete");
  }
  return {};
}

Expected<std::vector<uint8_t>> Checkpoint::readAll(const TensorInfo &tensor) const {
  std::vector<uint8_t> bytes(tensor.bytes);
  MMC_RETURN_IF_ERROR(read(tensor, 0, bytes));
  return bytes;
}

} // namespace mmc::runtime

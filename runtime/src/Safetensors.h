// A strict reader of safetensors files and of checkpoints in the Hugging Face layout.
//
// Strict: every rule of the format is checked, with the tensor and the figures in the message, before anything is
// believed. The whole data part must be covered by tensors exactly once, names are distinct, products of shapes do not
// wrap. Files are read, never mapped, so a file that shrinks later is an error and not a signal; the header is parsed
// as it streams in, so memory is bounded by a small multiple of it.
#pragma once

#include "runtime/src/Arena.h"
#include "runtime/src/FileIO.h"
#include "runtime/src/Status.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mmc::runtime {

/// Element types of the format, by the names that it uses.
enum class TensorType : uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  f8e4m3,
  f8e5m2,
  f8e8m0,
  f6e2m3,
  f6e3m2,
  f4,
  c64
};
/// "BF16" and so on.
const char *tensorTypeName(TensorType type);
uint32_t tensorTypeBits(TensorType type);

/// One tensor of a file. Views live as long as the file object.
struct TensorInfo {
  std::string_view name;
  std::span<const uint64_t> shape;
  TensorType type;
  uint32_t file;   // index in Checkpoint::files; 0 in a file of its own
  uint64_t offset; // of the data, from the start of the file
  uint64_t bytes;

  /// "[3, 4]".
  std::string shapeText() const;
};

/// One open .safetensors file. Immutable; may be used from several threads. Movable.
class SafetensorsFile {
public:
  static Expected<SafetensorsFile> open(const std::string &path);
  const std::string &path() const { return input.path(); }
  uint64_t size() const { return input.size(); }
  /// In order of their names.
  std::span<const TensorInfo> tensors() const { return table; }
  const TensorInfo *find(std::string_view name) const;
  /// The pairs of __metadata__, in the order of the file.
  std::span<const std::pair<std::string_view, std::string_view>> metadata() const { return notes; }
  /// Reads bytes [begin, begin + to.size()) of a tensor of this file.
  Status read(const TensorInfo &tensor, uint64_t begin, std::span<uint8_t> to) const;

private:
  friend class HeaderParser;
  friend class Checkpoint;
  Status checkData(uint64_t dataBegin);

  InputFile input;
  Arena arena; // names and shapes
  std::vector<TensorInfo> table;
  std::vector<std::pair<std::string_view, std::string_view>> notes;
};

/// All files of a checkpoint folder as one list of tensors. Immutable; may be used from several threads. Movable.
class Checkpoint {
public:
  /// `path`: a folder with model.safetensors, or with model.safetensors.index.json and its shards; or a .safetensors
  /// file.
  static Expected<Checkpoint> open(const std::string &path);
  std::span<const SafetensorsFile> files() const { return shards; }
  /// Tensors of all files, in order of their names. The files themselves list none: their tables are here.
  std::span<const TensorInfo> tensors() const { return table; }
  const TensorInfo *find(std::string_view name) const;
  const SafetensorsFile &fileOf(const TensorInfo &tensor) const { return shards[tensor.file]; }
  Status read(const TensorInfo &tensor, uint64_t begin, std::span<uint8_t> to) const {
    return fileOf(tensor).read(tensor, begin, to);
  }
  /// Fails where a file ends in a tensor of zeros (or in kTail bytes of them): what a download that set the size first
  /// and then broke off leaves behind. The format allows such a file, but no tensor of a trained model is all zero, and
  /// the padding rows of a vocabulary are fewer. Reads up to the first byte that is not zero.
  Status checkTails() const;
  static constexpr uint64_t kTail = uint64_t(64) << 20;
  /// The whole tensor, as it lies in the file.
  Expected<std::vector<uint8_t>> readAll(const TensorInfo &tensor) const;

private:
  Status openIndexed(const std::string &folder, const std::string &indexPath);
  Status collect();

  std::vector<SafetensorsFile> shards;
  std::vector<TensorInfo> table;
};

/// The index file of a sharded checkpoint: tensor names to shard file names, both distinct and checked to be plain
/// names.
struct ShardIndex {
  Arena arena;
  std::vector<std::string_view> shards;
  std::vector<std::pair<std::string_view, uint32_t>> weights; // tensor, shard; in order of tensor names
};
Expected<ShardIndex> readShardIndex(const std::string &path);

/// What a file that should hold weights holds instead, for messages: a Git LFS pointer, a web page; empty if it looks
/// like neither.
std::string describeImpostor(std::span<const uint8_t> firstBytes);

} // namespace mmc::runtime

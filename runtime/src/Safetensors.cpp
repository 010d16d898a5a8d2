// Reads one safetensors file: 8 bytes of header length, a JSON header, data. Invariant of an opened file: tensors are
// sorted by name, names are distinct, and their byte ranges tile the data part exactly.
#include "runtime/src/Safetensors.h"

#include "runtime/src/Errors.h"
#include "runtime/src/JsonStream.h"

#include <algorithm>
#include <iterator>

namespace mmc::runtime {

namespace {

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxDimensions = 8;
constexpr size_t kMaxNotes = 1u << 16;
/// The shortest entry, `"":{"dtype":"I8","shape":[],"data_offsets":[0,0]},`, has more bytes than this: it bounds the
/// number of tensors.
constexpr uint64_t kLeastEntry = 40;

struct TypeRow {
  const char *name;
  uint32_t bits;
};
constexpr TypeRow kTypes[] = {{"BOOL", 8},    {"U8", 8},      {"I8", 8},      {"U16", 16},    {"I16", 16},
                              {"U32", 32},    {"I32", 32},    {"U64", 64},    {"I64", 64},    {"F16", 16},
                              {"BF16", 16},   {"F32", 32},    {"F64", 64},    {"F8_E4M3", 8}, {"F8_E5M2", 8},
                              {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},      {"C64", 64}};
static_assert(std::size(kTypes) == size_t(TensorType::c64) + 1);

std::string inQuotes(std::string_view name) {
  return "'" + std::string(name.substr(0, 200)) + (name.size() > 200 ? "...'" : "'");
}

} // namespace

const char *tensorTypeName(TensorType type) { return kTypes[size_t(type)].name; }
uint32_t tensorTypeBits(TensorType type) { return kTypes[size_t(type)].bits; }

std::string TensorInfo::shapeText() const {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// Accepts exactly {"__metadata__": {text: text}, NAME: {"dtype": TYPE, "shape": [..], "data_offsets": [begin, end]},
/// ...}.
class HeaderParser : public JsonHandler {
public:
  HeaderParser(SafetensorsFile &file, uint64_t dataBegin, uint64_t dataBytes)
      : file(file), dataBegin(dataBegin), dataBytes(dataBytes) {}

  bool start_object(std::size_t) override {
    if (where == Place::start) return where = Place::top, true;
    if (where == Place::note && !inNotes) return inNotes = true;
    if (where == Place::tensor && !inTensor) return inTensor = true;
    return refuse("an object");
  }

  bool key(std::string &text) override {
    if (inNotes) return noteKey = file.arena.copy(text), true;
    if (inTensor) return tensorKey(text);
    if (text == "__metadata__") {
      if (sawNotes) return fail("has __metadata__ twice");
      sawNotes = true;
      where = Place::note;
      return true;
    }
    where = Place::tensor;
    tensor = {};
    tensor.name = file.arena.copy(text);
    seenDType = seenShape = seenOffsets = false;
    return true;
  }

  bool string(std::string &text) override {
    if (inNotes) {
      if (file.notes.size() == kMaxNotes)
        return fail("has more than " + std::to_string(kMaxNotes) + " entries in __metadata__");
      file.notes.emplace_back(noteKey, file.arena.copy(text));
      return true;
    }
    if (!inTensor || field != Field::dtype) return refuse("a string");
    for (size_t i = 0; i < std::size(kTypes); ++i)
      if (text == kTypes[i].name) return tensor.type = TensorType(i), true;
    return fail("gives tensor " + inQuotes(tensor.name) + " unknown dtype " + inQuotes(text));
  }

  bool start_array(std::size_t) override {
    if (!inTensor || inArray || (field != Field::shape && field != Field::offsets)) return refuse("an array");
    count = 0;
    return inArray = true;
  }

  bool number_unsigned(uint64_t value) override {
    if (!inArray) return refuse("the number " + std::to_string(value));
    if (count == (field == Field::shape ? kMaxDimensions : 2))
      return fail("gives tensor " + inQuotes(tensor.name) +
                  (field == Field::shape ? " more than 8 dimensions" : " more than two data_offsets"));
    numbers[count++] = value;
    return true;
  }

  bool end_array() override {
    inArray = false;
    if (field == Field::shape) return tensor.shape = file.arena.copy(std::span<const uint64_t>(numbers, count)), true;
    if (count != 2)
      return fail("gives tensor " + inQuotes(tensor.name) + " " + std::to_string(count) + " data_offsets, expected 2");
    begin = numbers[0];
    end = numbers[1];
    return true;
  }

  bool end_object() override {
    if (inNotes) return inNotes = false, where = Place::top, true;
    if (!inTensor) return true;
    inTensor = false;
    where = Place::top;
    return addTensor();
  }

protected:
  std::string place() const override {
    if (inNotes || where == Place::note) return "__metadata__, which maps text to text";
    if (where == Place::tensor) return "tensor " + inQuotes(tensor.name);
    return "the top level";
  }

private:
  enum class Place { start, top, note, tensor };
  enum class Field { none, dtype, shape, offsets };

  bool tensorKey(const std::string &text) {
    bool *seen = text == "dtype"          ? &seenDType
                 : text == "shape"        ? &seenShape
                 : text == "data_offsets" ? &seenOffsets
                                          : nullptr;
    if (!seen) return fail("gives tensor " + inQuotes(tensor.name) + " the unknown key " + inQuotes(text));
    if (*seen) return fail("gives tensor " + inQuotes(tensor.name) + " the key '" + text + "' twice");
    *seen = true;
    field = seen == &seenDType ? Field::dtype : seen == &seenShape ? Field::shape : Field::offsets;
    return true;
  }

  bool addTensor() {
    const std::string who = "tensor " + inQuotes(tensor.name);
    if (!seenDType || !seenShape || !seenOffsets)
      return fail("gives " + who + " no " + (!seenDType ? "dtype" : !seenShape ? "shape" : "data_offsets"));
    if (begin > end)
      return fail("gives " + who + " data_offsets " + std::to_string(begin) + " to " + std::to_string(end) +
                  ": begin after end");
    if (end > dataBytes)
      return fail("gives " + who + " data up to byte " + std::to_string(end) + ", but the file has " +
                  std::to_string(dataBytes) + " bytes of data: it is truncated");
    uint64_t bits = tensorTypeBits(tensor.type);
    for (uint64_t extent : tensor.shape)
      if (__builtin_mul_overflow(bits, extent, &bits))
        return fail("gives " + who + " shape " + tensor.shapeText() + ", whose product wraps");
    if (bits % 8) return fail("gives " + who + " " + std::to_string(bits) + " bits, not a whole number of bytes");
    if (bits / 8 != end - begin)
      return fail("gives " + who + " " + std::to_string(end - begin) + " bytes, expected " + std::to_string(bits / 8) +
                  " for " + tensorTypeName(tensor.type) + " " + tensor.shapeText());
    tensor.offset = dataBegin + begin;
    tensor.bytes = end - begin;
    file.table.push_back(tensor);
    return true;
  }

  SafetensorsFile &file;
  uint64_t dataBegin, dataBytes;
  Place where = Place::start;
  Field field = Field::none;
  bool inNotes = false, inTensor = false, inArray = false, sawNotes = false;
  bool seenDType = false, seenShape = false, seenOffsets = false;
  std::string_view noteKey;
  TensorInfo tensor{};
  uint64_t numbers[kMaxDimensions] = {}, begin = 0, end = 0;
  size_t count = 0;
};

std::string describeImpostor(std::span<const uint8_t> firstBytes) {
  const std::string_view text(reinterpret_cast<const char *>(firstBytes.data()), firstBytes.size());
  if (text.substr(0, 16).find('\0') != std::string_view::npos) return {}; // a small number in front: no text
  if (text.starts_with("version https://git-lfs")) return "a Git LFS pointer, not the data that it stands for";
  const size_t start = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start != std::string_view::npos && text[start] == '<') return "a web page (HTML or XML), not weights";
  if (text.starts_with("{") || text.starts_with("Entry not found") || text.starts_with("Invalid") ||
      text.starts_with("Access to"))
    return "a text message, not weights";
  return {};
}

Expected<SafetensorsFile> SafetensorsFile::open(const std::string &path) {
  Expected<InputFile> input = InputFile::open(path);
  if (!input.ok()) return input.status();
  SafetensorsFile file;
  file.input = std::move(*input);
  const uint64_t size = file.input.size();
  std::vector<uint8_t> first(size_t(std::min<uint64_t>(size, 256)));
  MMC_RETURN_IF_ERROR(file.input.readAt(0, first));
  uint64_t header = 0;
  for (int i = 7; i >= 0 && size >= 8; --i) header = header << 8 | first[size_t(i)];
  const bool plausible = size > 9 && header >= 2 && header <= std::min(size - 8, kMaxHeader) && first[8] == '{';
  // Only what cannot be a safetensors file is looked at as text: a header of 60 bytes also starts with '<'.
  if (const std::string impostor = describeImpostor(first); !plausible && !impostor.empty())
    return Status(kNotSafetensors, path + " is " + impostor);
  if (size < 8)
    return Status(kSafetensorsTruncated,
                  path + " has " + std::to_string(size) + " bytes, expected at least 8: it is truncated");
  if (header > kMaxHeader)
    return Status(kSafetensorsHeader, path + " has header length " + std::to_string(header) + ", expected at most " +
                                          std::to_string(kMaxHeader));
  if (header > size - 8)
    return Status(kSafetensorsTruncated, path + " has header length " + std::to_string(header) + ", but only " +
                                             std::to_string(size - 8) + " bytes follow: it is truncated");
  if (!plausible)
    return Status(kSafetensorsHeader,
                  path + " has a header of " + std::to_string(header) + " bytes that does not start with '{'");

  file.table.reserve(header / kLeastEntry + 1);
  HeaderParser parser(file, 8 + header, size - 8 - header);
  Status status;
  if (!parseJson(file.input, 8, 8 + header, parser, status)) {
    if (!status.ok()) return status;
    const bool truncated = parser.failure.ends_with("truncated");
    return Status(truncated ? kSafetensorsTruncated : kSafetensorsHeader, path + ": its header " + parser.failure);
  }
  MMC_RETURN_IF_ERROR(file.checkData(8 + header));
  return file;
}

Status SafetensorsFile::checkData(uint64_t dataBegin) {
  std::sort(table.begin(), table.end(), [](const TensorInfo &a, const TensorInfo &b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
  });
  uint64_t end = dataBegin;
  for (const TensorInfo &tensor : table) {
    if (tensor.offset != end)
      return Status(kSafetensorsTensor, path() + ": data of tensor " + inQuotes(tensor.name) + " starts at byte " +
                                            std::to_string(tensor.offset - dataBegin) + ", expected " +
                                            std::to_string(end - dataBegin) + ": " +
                                            (tensor.offset > end ? "a hole" : "an overlap") + " before it");
    end += tensor.bytes;
  }
  if (end != size())
    return Status(kSafetensorsTensor,
                  path() + ": " + std::to_string(size() - end) + " bytes at the end belong to no tensor");
  std::sort(table.begin(), table.end(), [](const TensorInfo &a, const TensorInfo &b) { return a.name < b.name; });
  auto twice = std::adjacent_find(table.begin(), table.end(),
                                  [](const TensorInfo &a, const TensorInfo &b) { return a.name == b.name; });
  if (twice != table.end())
    return Status(kSafetensorsHeader, path() + ": tensor " + inQuotes(twice->name) + " appears twice");
  std::vector<std::string_view> keys;
  for (const auto &note : notes) keys.push_back(note.first);
  std::sort(keys.begin(), keys.end());
  auto key = std::adjacent_find(keys.begin(), keys.end());
  if (key != keys.end())
    return Status(kSafetensorsHeader, path() + ": __metadata__ has key " + inQuotes(*key) + " twice");
  return {};
}

static const TensorInfo *findByName(std::span<const TensorInfo> table, std::string_view name) {
  auto at = std::lower_bound(table.begin(), table.end(), name,
                             [](const TensorInfo &a, std::string_view b) { return a.name < b; });
  return at != table.end() && at->name == name ? &*at : nullptr;
}

const TensorInfo *SafetensorsFile::find(std::string_view name) const { return findByName(table, name); }
const TensorInfo *Checkpoint::find(std::string_view name) const { return findByName(table, name); }

Status SafetensorsFile::read(const TensorInfo &tensor, uint64_t begin, std::span<uint8_t> to) const {
  if (begin > tensor.bytes || to.size() > tensor.bytes - begin)
    return Status(kInternal, "read of bytes " + std::to_string(begin) + " + " + std::to_string(to.size()) +
                                 " of tensor " + inQuotes(tensor.name) + ", which has " + std::to_string(tensor.bytes));
  return input.readAt(tensor.offset + begin, to);
}

} // namespace mmc::runtime

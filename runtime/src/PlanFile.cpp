// Implements the plan container. Invariant after check(): table is ascending in offset, segments tile the file from the
// first aligned offset behind the table to its end with zero padding between them, and every digest has been compared.
#include "runtime/src/PlanFile.h"

#include "runtime/src/Errors.h"
#include "runtime/src/FileIO.h"
#include "runtime/src/Layout.h"

#include <algorithm>
#include <cstring>

namespace mmc::runtime {

namespace {

constexpr char kMagic[8] = {'M', 'M', 'C', 'P', 'L', 'A', 'N', '\0'};
constexpr uint32_t kByteOrder = 0x01020304;

/// Bytes 0..63. The digest covers the header, with the digest itself taken as zero, and the segment table.
struct FileHeader {
  char magic[8];
  uint32_t byteOrder;
  uint16_t major, minor;
  uint64_t fileSize;
  uint32_t segmentCount;
  uint32_t reserved;
  Digest digest;
};
static_assert(sizeof(FileHeader) == 64);

/// One row of the table that follows the header.
struct TableRow {
  uint32_t kind, flags;
  uint64_t offset, size, reserved;
  Digest digest;
};
static_assert(sizeof(TableRow) == 64);
static_assert(sizeof(FileHeader) + kMaxSegments * sizeof(TableRow) <= kSegmentAlignment);

std::span<const uint8_t> asBytes(const void *data, size_t size) { return {static_cast<const uint8_t *>(data), size}; }

Digest headerDigest(FileHeader header, std::span<const uint8_t> table) {
  header.digest = {};
  DigestStream stream;
  stream.update(asBytes(&header, sizeof header));
  stream.update(table);
  return stream.finish();
}

std::string number(uint64_t value) { return std::to_string(value); }

} // namespace

Expected<std::vector<uint8_t>> buildPlanFile(std::span<const SegmentInput> segments) {
  if (segments.size() > kMaxSegments)
    return Status(kBadArgument,
                  "a plan has " + number(segments.size()) + " segments, expected at most " + number(kMaxSegments));
  std::vector<TableRow> rows;
  uint64_t end = sizeof(FileHeader) + segments.size() * sizeof(TableRow);
  for (const SegmentInput &segment : segments) {
    const uint64_t offset = roundUp(end, kSegmentAlignment);
    end = offset + segment.bytes.size();
    rows.push_back({uint32_t(segment.kind), segment.flags, offset, segment.bytes.size(), 0, digestOf(segment.bytes)});
  }
  if (end > kMaxPlanBytes)
    return Status(kBadArgument, "a plan has " + number(end) + " bytes, expected at most " + number(kMaxPlanBytes));
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.byteOrder = kByteOrder;
  header.major = kPlanFormatMajor;
  header.minor = kPlanFormatMinor;
  header.fileSize = end;
  header.segmentCount = uint32_t(segments.size());
  header.digest = headerDigest(header, asBytes(rows.data(), rows.size() * sizeof(TableRow)));

  std::vector<uint8_t> file(end);
  std::memcpy(file.data(), &header, sizeof header);
  if (!rows.empty()) std::memcpy(file.data() + sizeof header, rows.data(), rows.size() * sizeof(TableRow));
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy(segments[i].bytes.begin(), segments[i].bytes.end(), file.begin() + ptrdiff_t(rows[i].offset));
  return file;
}

Status writePlanFile(const std::string &path, std::span<const SegmentInput> segments) {
  Expected<std::vector<uint8_t>> bytes = buildPlanFile(segments);
  if (!bytes.ok()) return bytes.status();
  Expected<OutputFile> file = OutputFile::create(path);
  if (!file.ok()) return file.status();
  MMC_RETURN_IF_ERROR(file->write(*bytes));
  return file->commit();
}

Expected<PlanImage> PlanImage::open(const std::string &path) {
  Expected<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  FileHeader header;
  if (file->size() < sizeof header || file->size() > kMaxPlanBytes)
    return Status(kNotAPlan, path + " has " + number(file->size()) + " bytes, expected a plan of " +
                                 number(sizeof header) + " to " + number(kMaxPlanBytes));
  // The magic is looked at before the rest is read, so that a large file of another kind costs nothing.
  MMC_RETURN_IF_ERROR(file->readAt(0, {reinterpret_cast<uint8_t *>(&header), sizeof header}));
  if (std::memcmp(header.magic, kMagic, sizeof kMagic))
    return Status(kNotAPlan, path + " is not a plan: it does not start with MMCPLAN");
  Expected<Mapping> memory = Mapping::create(file->size(), Mapping::Kind::committed, "the plan file");
  if (!memory.ok()) return memory.status();
  PlanImage image;
  image.memory = std::move(*memory);
  image.length = file->size();
  image.label = path;
  MMC_RETURN_IF_ERROR(file->readAt(0, {image.memory.data(), image.length}));
  MMC_RETURN_IF_ERROR(image.check());
  return image;
}

Expected<PlanImage> PlanImage::copy(std::span<const uint8_t> bytes, const std::string &name) {
  Expected<Mapping> memory = Mapping::create(bytes.size(), Mapping::Kind::committed, "the plan");
  if (!memory.ok()) return memory.status();
  PlanImage image;
  image.memory = std::move(*memory);
  image.length = bytes.size();
  image.label = name;
  if (!bytes.empty()) std::memcpy(image.memory.data(), bytes.data(), bytes.size());
  MMC_RETURN_IF_ERROR(image.check());
  return image;
}

Status PlanImage::check() {
  FileHeader header;
  if (length < sizeof header || length > kMaxPlanBytes)
    return Status(kNotAPlan, label + " has " + number(length) + " bytes, expected a plan of " + number(sizeof header) +
                                 " to " + number(kMaxPlanBytes));
  std::memcpy(&header, memory.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic))
    return Status(kNotAPlan, label + " is not a plan: it does not start with MMCPLAN");
  if (header.byteOrder != kByteOrder)
    return Status(kNotAPlan, label + ": byte order mark is wrong: plans are little-endian");
  if (header.major != kPlanFormatMajor)
    return Status(kPlanVersion, label + " has plan format " + number(header.major) + "." + number(header.minor) +
                                    ", expected " + number(kPlanFormatMajor) + ".x");
  minor = header.minor;
  if (header.fileSize != length)
    return Status(kPlanTruncated,
                  label + " has " + number(length) + " bytes, expected " + number(header.fileSize) + " by its header");
  if (header.segmentCount == 0 || header.segmentCount > kMaxSegments)
    return Status(kSegmentTable, label + ": segment count is " + number(header.segmentCount) + ", expected 1 to " +
                                     number(kMaxSegments));
  const uint64_t tableBytes = header.segmentCount * sizeof(TableRow);
  if (sizeof header + tableBytes > length) return Status(kPlanTruncated, label + " ends inside its segment table");
  if (header.reserved) return Status(kPlanPadding, label + ": reserved field of the header is not zero");
  identity = headerDigest(header, {memory.data() + sizeof header, tableBytes});
  if (identity != header.digest)
    return Status(kPlanDigest, label + ": digest of the header does not match its content");
  MMC_RETURN_IF_ERROR(checkTable(header.segmentCount));
  MMC_RETURN_IF_ERROR(checkPadding());
  for (size_t i = 0; i < table.size(); ++i)
    if (digestOf({memory.data() + table[i].offset, table[i].size}) != table[i].digest)
      return Status(kPlanDigest, label + ": digest of segment " + number(i) + " (kind " +
                                     number(uint32_t(table[i].kind)) + ") does not match its content");
  return {};
}

Status PlanImage::checkTable(uint32_t count) {
  uint64_t end = sizeof(FileHeader) + count * sizeof(TableRow);
  for (uint32_t i = 0; i < count; ++i) {
    TableRow row;
    std::memcpy(&row, memory.data() + sizeof(FileHeader) + i * sizeof row, sizeof row);
    const std::string who = label + ": segment " + number(i);
    const bool known = row.kind >= uint32_t(SegmentKind::metadata) && row.kind <= uint32_t(SegmentKind::deviceImages);
    if (!known && !(row.flags & kSegmentOptional))
      return Status(kPlanVersion, who + " is of kind " + number(row.kind) + ", which this runtime does not know",
                    "use a newer runtime");
    if (row.flags & ~kSegmentOptional)
      return Status(kSegmentTable, who + ": flags are " + number(row.flags) + ", expected 0 or 1");
    if (row.reserved) return Status(kPlanPadding, who + ": reserved field is not zero");
    // One comparison refuses holes, overlaps, wrong order and misalignment: segments follow each other at the next
    // aligned offset.
    if (row.offset != roundUp(end, kSegmentAlignment))
      return Status(kSegmentTable, who + ": offset is " + number(row.offset) + ", expected " +
                                       number(roundUp(end, kSegmentAlignment)));
    if (row.offset > length || row.size > length - row.offset)
      return Status(kSegmentTable, who + ": bytes " + number(row.offset) + " + " + number(row.size) +
                                       " reach past the end at " + number(length));
    if (std::any_of(table.begin(), table.end(), [&](const Segment &other) { return uint32_t(other.kind) == row.kind; }))
      return Status(kSegmentTable, who + ": a second segment of kind " + number(row.kind));
    end = row.offset + row.size;
    table.push_back({SegmentKind(row.kind), row.flags, row.offset, row.size, row.digest});
  }
  if (end != length)
    return Status(kSegmentTable,
                  label + ": the last segment ends at " + number(end) + ", expected the end at " + number(length));
  if (!has(SegmentKind::metadata)) return Status(kSegmentTable, label + ": metadata segment is missing");
  return {};
}

Status PlanImage::checkPadding() const {
  uint64_t position = sizeof(FileHeader) + table.size() * sizeof(TableRow);
  for (const Segment &segment : table) {
    const uint8_t *begin = memory.data() + position, *end = memory.data() + segment.offset;
    const uint8_t *bad = std::find_if(begin, end, [](uint8_t byte) { return byte != 0; });
    if (bad != end)
      return Status(kPlanPadding, label + ": padding byte " + number(uint64_t(bad - memory.data())) + " is not zero");
    position = segment.offset + segment.size;
  }
  return {};
}

std::span<const uint8_t> PlanImage::bytes(SegmentKind kind) const {
  for (const Segment &segment : table)
    if (segment.kind == kind) return {memory.data() + segment.offset, segment.size};
  return {};
}

bool PlanImage::has(SegmentKind kind) const {
  return std::any_of(table.begin(), table.end(), [&](const Segment &segment) { return segment.kind == kind; });
}

} // namespace mmc::runtime

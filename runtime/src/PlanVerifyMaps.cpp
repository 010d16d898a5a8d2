// Checks tensor maps of a decoded plan against the descriptions of their kernels: each axis is one that a driver can
// encode, and a tensor of known size lies inside of the memory that the kernel may reach. One whose first axis is the
// rows of a buffer gets as many as the buffer holds, so nothing can be beyond it.
#include "runtime/src/Layout.h"
#include "runtime/src/PlanVerify.h"

#include <algorithm>

namespace mmc::runtime {

namespace {

constexpr uint64_t kMaxAxis = uint64_t(1) << 32, kMaxStride = uint64_t(1) << 40;
constexpr uint32_t kMaxBox = 256, kPiece = 16;

class MapVerifier {
public:
  MapVerifier(const Kernel &kernel, const TensorMapRecord &map, std::string who)
      : kernel(kernel), map(map), who(std::move(who)) {}

  Status run() {
    MMC_RETURN_IF_ERROR(axes());
    MMC_RETURN_IF_ERROR(box());
    return memory();
  }

private:
  Status axes() const {
    const size_t rank = map.sizes.size();
    MMC_RETURN_IF_ERROR(checkRange(who + " sizes count", rank, 1, kMaxTensorMapRank));
    const std::pair<const char *, size_t> others[] = {{" strides count", map.strides.size() + 1},
                                                      {" box count", map.box.size()}};
    for (auto [field, count] : others)
      if (count != rank) return badField(who + field, count, std::to_string(rank) + ", as there are sizes");
    for (size_t i = 0; i < rank; ++i)
      MMC_RETURN_IF_ERROR(
          checkRange(who + " " + entryName("sizes", i), map.sizes[i], i || rank == 1 ? 1 : 0, kMaxAxis));
    for (size_t i = 0; i + 1 < rank; ++i)
      if (map.strides[i] == 0 || map.strides[i] % kPiece || map.strides[i] >= kMaxStride)
        return badField(who + " " + entryName("strides", i), map.strides[i], "a multiple of 16 below 2^40");
    for (size_t i = 0; i + 1 < rank; ++i)
      if (map.sizes[i] > kMaxBytes / map.strides[i])
        return badField(who + " " + entryName("sizes", i), map.sizes[i], "a tensor of less than 2^56 bytes");
    if (map.offset % kPiece || map.offset >= kMaxStride)
      return badField(who + " offset", map.offset, "a multiple of 16 below 2^40");
    return {};
  }

  Status box() const {
    for (size_t i = 0; i < map.box.size(); ++i)
      MMC_RETURN_IF_ERROR(checkRange(who + " " + entryName("box", i), map.box[i], 1, kMaxBox));
    if (map.swizzle != 0 && map.swizzle != 32 && map.swizzle != 64 && map.swizzle != 128)
      return badField(who + " swizzle", map.swizzle, "0, 32, 64 or 128");
    const uint64_t row = map.box.back() * dtypeBytes(map.dtype);
    if (row % kPiece) return badField(who + " box", std::to_string(row) + " bytes wide", "a multiple of 16");
    if (map.swizzle && row > map.swizzle)
      return badField(who + " box", std::to_string(row) + " bytes wide",
                      "at most its swizzle of " + std::to_string(map.swizzle));
    return {};
  }

  Status memory() const {
    MMC_RETURN_IF_ERROR(checkRange(who + " argument", map.argument, 0, uint64_t(kernel.interface.size()) - 1));
    const Parameter &parameter = kernel.interface[map.argument];
    const bool byRows = map.sizes.front() == 0;
    const bool kinds = std::all_of(parameter.kinds.begin(), parameter.kinds.end(), [&](ArgumentKind kind) {
      return kind == ArgumentKind::buffer ||
             (!byRows && (kind == ArgumentKind::weight || kind == ArgumentKind::constant));
    });
    const std::string name = "'" + kernel.parameters[map.argument] + "'";
    if (!kinds || parameter.written || parameter.panelN)
      return badField(who + " argument", name,
                      byRows ? "a buffer that is only read"
                             : "a buffer, a weight without panels or a constant that is only read");
    if (parameter.dtype != map.dtype)
      return badField(who + " dtype", dtypeName(map.dtype), std::string(dtypeName(parameter.dtype)) + ", as " + name);
    if (byRows) {
      // Without a size per row the memory is known to the launch alone, which counts the rows in any case.
      if (map.rowBytes() > map.strides.front())
        return badField(who + " strides[0]", map.strides.front(), "at least a row's " + std::to_string(map.rowBytes()));
      return {};
    }
    const uint64_t last = (map.sizes.front() - 1) * (map.strides.empty() ? 0 : map.strides.front());
    const uint64_t end = map.offset + last + map.rowBytes();
    if (parameter.rows == Rows::none && end <= parameter.bytes) return {};
    return badField(who + " end", end,
                    "within the " + std::to_string(parameter.bytes) + " bytes " + rowsName(parameter.rows) + " of " +
                        name);
  }

  const Kernel &kernel;
  const TensorMapRecord &map;
  const std::string who;
};

} // namespace

uint64_t TensorMapRecord::rowBytes() const {
  uint64_t bytes = sizes.size() == 1 ? 0 : (sizes.back() - 1) * dtypeBytes(dtype);
  for (size_t i = 1; i + 1 < sizes.size(); ++i) bytes += (sizes[i] - 1) * strides[i];
  return bytes + dtypeBytes(dtype);
}

Status verifyMaps(const Kernel &kernel, const DeviceFunction &function, const std::string &who) {
  MMC_RETURN_IF_ERROR(checkRange(who + " maps count", function.maps.size(), 0, kMaxTensorMaps));
  for (size_t i = 0; i < function.maps.size(); ++i)
    MMC_RETURN_IF_ERROR(MapVerifier(kernel, function.maps[i], who + " " + entryName("maps", i)).run());
  return {};
}

} // namespace mmc::runtime

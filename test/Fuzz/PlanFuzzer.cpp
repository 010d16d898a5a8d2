// Fuzzes everything that reads a plan before it is trusted. The first byte says what the rest is: a whole file, a
// metadata segment, or a host object; digests would otherwise keep the fuzzer out of the inner two. Nothing is ever
// mapped or executed.
#include "runtime/src/LoadedPlan.h"

#include <cstdlib>

using namespace mmc::runtime;

/// A failure must say something; a success must be usable.
static void require(bool condition) {
  if (!condition) abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  const std::span<const uint8_t> rest(data + 1, size - 1);
  switch (data[0]) {
  case 0: {
    const Expected<PlanImage> image = PlanImage::copy(rest);
    require(image.ok() || !image.status().message().empty());
    if (image.ok()) (void)verifyPlan(*image);
    break;
  }
  case 1: {
    // FlatBuffers expects an aligned buffer, as segments are.
    const std::vector<uint64_t> aligned((rest.size() + 7) / 8 + 1);
    auto *copy = reinterpret_cast<uint8_t *>(const_cast<uint64_t *>(aligned.data()));
    std::copy(rest.begin(), rest.end(), copy);
    const Expected<PlanTables> tables = decodePlan({copy, rest.size()}, 20);
    if (!tables.ok()) {
      require(!tables.status().message().empty());
      break;
    }
    // Tables that were accepted must be in range: touch what execution would index.
    for (const Program &program : tables->layerKinds)
      for (const Command &command : program.commands) require(command.launch.kernel < tables->kernels.size());
    require(tables->layerOrdinals.size() == tables->stack.size());
    for (const EntryPoint &entry : tables->entryPoints)
      for (size_t i = 0; i < entry.offsets.size(); ++i)
        require(entry.offsets[i] + bufferBytes(tables->buffers[i], entry) <= entry.arenaBytes);
    break;
  }
  default: {
    const std::string symbols[] = {"embed_v3", "head_v4"};
    (void)checkHostObject(rest, symbols);
  }
  }
  return 0;
}

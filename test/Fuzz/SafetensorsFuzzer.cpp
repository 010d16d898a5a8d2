// Fuzzes the readers of checkpoints: a .safetensors file, or an index of shards where the first byte is odd. What is
// accepted must tile the file.
#include "runtime/src/Safetensors.h"

#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

using namespace mmc::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  // The readers take a path; a memory file has one.
  static const int file = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) || pwrite(file, data + 1, size - 1, 0) != ssize_t(size - 1)) abort();
  if (data[0] & 1) {
    const Expected<ShardIndex> index = readShardIndex(path);
    for (size_t i = 0; index.ok() && i < index->weights.size(); ++i)
      if (index->weights[i].second >= index->shards.size()) abort();
    return 0;
  }
  const Expected<SafetensorsFile> opened = SafetensorsFile::open(path);
  if (!opened.ok()) return opened.status().message().empty() ? abort(), 0 : 0;
  uint64_t bytes = 0;
  for (const TensorInfo &tensor : opened->tensors()) {
    bytes += tensor.bytes;
    if (tensor.bytes > size || opened->find(tensor.name) != &tensor) abort();
    std::vector<uint8_t> content(tensor.bytes);
    if (!opened->read(tensor, 0, content).ok()) abort();
  }
  if (bytes > size) abort();
  return 0;
}

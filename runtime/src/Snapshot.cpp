// Snapshots of sequences: a header, the slot's state of every layer, the sequence's KV pages, and a digest over all of
// it.
//
// Restoring copies into a new sequence while it hashes, and frees the sequence again if the digest is wrong: so a
// snapshot of any size needs no memory of its own, and nothing that was not checked is ever executed on.
#include "runtime/src/Errors.h"
#include "runtime/src/Session.h"

#include <cstring>

namespace mmc::runtime {

namespace {

constexpr char kMagic[8] = {'M', 'M', 'C', 'S', 'N', 'A', 'P', '\0'};
constexpr uint32_t kVersion = 1;

struct SnapshotHeader {
  char magic[8];
  uint32_t version, reserved;
  Digest plan, weights;
  uint64_t position, payloadBytes;
};
static_assert(sizeof(SnapshotHeader) == 96);

std::span<const uint8_t> asBytes(const SnapshotHeader &header) {
  return {reinterpret_cast<const uint8_t *>(&header), sizeof header};
}

} // namespace

/// Calls function(unit) for every unit that belongs to the sequence, in the order of the file: pool, layer, then page.
template <typename Function> Status Session::forEachUnit(const Sequence &sequence, Function function) const {
  for (size_t i = 0; i < plan().pools.size(); ++i) {
    const Pool &pool = plan().pools[i];
    for (uint64_t layer = 0; layer < pool.layers; ++layer) {
      if (pool.kind == PoolKind::slots) {
        MMC_RETURN_IF_ERROR(function(PoolUnit{i, layer, sequence.slot}));
        continue;
      }
      for (uint64_t page = 0; page < sequence.pages; ++page)
        MMC_RETURN_IF_ERROR(function(PoolUnit{i, layer, uint64_t(pages.pagesOf(sequence.slot)[page])}));
    }
  }
  return {};
}

uint64_t Session::payloadBytes(uint64_t position) const {
  uint64_t bytes = 0;
  for (const Pool &pool : plan().pools)
    bytes += pool.unitBytes * pool.layers * (pool.kind == PoolKind::slots ? 1 : pagesFor(position));
  return bytes;
}

uint64_t Session::snapshotBytes(const Sequence &sequence) const {
  return sizeof(SnapshotHeader) + payloadBytes(sequence.position) + sizeof(Digest);
}

Status Session::snapshot(const Sequence &sequence, const std::function<Status(std::span<const uint8_t>)> &write) const {
  MMC_RETURN_IF_ERROR(backend->ready());
  if (sequence.broken) return Status(kSequenceBroken, "a step that was cancelled or failed broke the sequence");
  SnapshotHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.plan = shared->plan->image.digest();
  header.weights = shared->fingerprint;
  header.position = sequence.position;
  header.payloadBytes = payloadBytes(sequence.position);
  DigestStream digest;
  auto emit = [&](std::span<const uint8_t> bytes) {
    digest.update(bytes);
    return write(bytes);
  };
  MMC_RETURN_IF_ERROR(emit(asBytes(header)));
  MMC_RETURN_IF_ERROR(forEachUnit(sequence, [&](const PoolUnit &unit) {
    Expected<std::span<const uint8_t>> bytes = backend->readUnit(unit);
    return bytes.ok() ? emit(*bytes) : bytes.status();
  }));
  return write(digest.finish());
}

Expected<Sequence *> Session::restore(uint64_t size, const std::function<Status(std::span<uint8_t>)> &read) {
  MMC_RETURN_IF_ERROR(backend->ready());
  SnapshotHeader header;
  if (size < sizeof header + sizeof(Digest))
    return Status(kNotASnapshot, "the snapshot has " + std::to_string(size) + " bytes, expected at least " +
                                     std::to_string(sizeof header + sizeof(Digest)));
  MMC_RETURN_IF_ERROR(read({reinterpret_cast<uint8_t *>(&header), sizeof header}));
  if (std::memcmp(header.magic, kMagic, sizeof kMagic))
    return Status(kNotASnapshot, "the snapshot does not start with MMCSNAP");
  if (header.version != kVersion || header.reserved)
    return Status(kSnapshotMismatch, "the snapshot has format " + std::to_string(header.version) + ", expected " +
                                         std::to_string(kVersion));
  if (header.plan != shared->plan->image.digest())
    return Status(kSnapshotMismatch, "the snapshot is of plan " + toHex(header.plan) + ", expected " +
                                         toHex(shared->plan->image.digest()));
  if (header.weights != shared->fingerprint)
    return Status(kSnapshotMismatch, "the snapshot was taken with other weights");
  if (header.position > plan().maxModelLen)
    return Status(kSnapshotCorrupt, "the snapshot's position is " + std::to_string(header.position) +
                                        ", expected at most " + std::to_string(plan().maxModelLen));
  const uint64_t payload = payloadBytes(header.position);
  if (header.payloadBytes != payload)
    return Status(kSnapshotCorrupt, "the snapshot's payload size is " + std::to_string(header.payloadBytes) +
                                        " bytes, expected " + std::to_string(payload) + " at position " +
                                        std::to_string(header.position));
  if (size != sizeof header + payload + sizeof(Digest))
    return Status(kSnapshotCorrupt, "the snapshot has " + std::to_string(size) + " bytes, expected " +
                                        std::to_string(sizeof header + payload + sizeof(Digest)));
  if (pagesFor(header.position) > pages.freePages())
    return Status(kPagesExhausted, "the snapshot needs " + std::to_string(pagesFor(header.position)) +
                                       " KV pages, but " + std::to_string(pages.freePages()) + " are free");

  Expected<Sequence *> made = createSequence();
  if (!made.ok()) return made;
  Sequence &sequence = **made;
  sequence.pages = pagesFor(header.position);
  sequence.position = header.position;
  sequence.dirty = true;
  pages.takePages(sequence.slot, 0, sequence.pages);
  DigestStream digest;
  digest.update(asBytes(header));
  Status status = sequence.pages ? backend->updatePages(sequence.slot, 0, sequence.pages) : Status();
  if (status.ok())
    status = forEachUnit(sequence, [&](const PoolUnit &unit) {
      const std::span<uint8_t> bytes = backend->openUnit(unit);
      MMC_RETURN_IF_ERROR(read(bytes));
      digest.update(bytes);
      return backend->storeUnit(unit);
    });
  Digest expected;
  if (status.ok()) status = read(expected);
  if (status.ok() && digest.finish() != expected)
    status = Status(kSnapshotCorrupt, "the snapshot's digest does not match its content");
  if (status.ok()) return made;
  destroySequence(&sequence);
  return status;
}

} // namespace mmc::runtime

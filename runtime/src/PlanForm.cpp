// Checks the structure of the metadata FlatBuffer before anything is read from it.
//
// The FlatBuffers verifier bounds depth and the number of tables it visits, but not vectors of strings: a small file
// whose many kernels share one long vector of symbols would keep it busy for minutes. So a first pass walks only to
// those vectors and adds up their lengths.
#include "runtime/src/PlanVerify.h"

#include "runtime/schema/plan_generated.h"
#include "runtime/src/Errors.h"

namespace mmc::runtime {

namespace {

constexpr flatbuffers::uoffset_t kMaxDepth = 16; // Plan > Program > Command > Launch > Argument is 5
constexpr flatbuffers::uoffset_t kMaxTables = 1u << 17;

/// Stands in for plan::Kernel: adds up its string vectors.
struct KernelStrings : private flatbuffers::Table {
  bool count(flatbuffers::Verifier &verifier, uint64_t &strings) const {
    if (!VerifyTableStart(verifier)) return false;
    for (flatbuffers::voffset_t field : {plan::Kernel::VT_SYMBOLS, plan::Kernel::VT_PARAMETERS}) {
      if (!VerifyOffset(verifier, field)) return false;
      const auto *vector = GetPointer<const flatbuffers::Vector<flatbuffers::uoffset_t> *>(field);
      if (!verifier.VerifyVector(vector)) return false;
      strings += vector ? vector->size() : 0;
    }
    return verifier.EndTable();
  }
};

/// Stands in for plan::Plan in the first pass. False where the structure up to the vectors is broken.
struct PlanStrings : private flatbuffers::Table {
  bool Verify(flatbuffers::Verifier &verifier) const {
    if (!VerifyTableStart(verifier) || !VerifyOffset(verifier, plan::Plan::VT_KERNELS)) return false;
    const auto *kernels =
        GetPointer<const flatbuffers::Vector<flatbuffers::Offset<KernelStrings>> *>(plan::Plan::VT_KERNELS);
    if (!verifier.VerifyVector(kernels)) return false;
    uint64_t strings = 0;
    for (flatbuffers::uoffset_t i = 0; kernels && i < kernels->size(); ++i)
      if (!kernels->Get(i)->count(verifier, strings) || strings > kMaxTables) return false;
    return verifier.EndTable();
  }
};

} // namespace

Status verifyMetadataForm(std::span<const uint8_t> metadata) {
  const Status bad(kMetadataForm, "plan metadata is not a well-formed FlatBuffer of schema MMC1");
  if (metadata.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return bad;
  flatbuffers::Verifier strings(metadata.data(), metadata.size(), kMaxDepth, kMaxTables);
  if (!strings.VerifyBuffer<PlanStrings>(plan::PlanIdentifier())) return bad;
  flatbuffers::Verifier verifier(metadata.data(), metadata.size(), kMaxDepth, kMaxTables);
  if (!plan::VerifyPlanBuffer(verifier)) return bad;
  return {};
}

} // namespace mmc::runtime

// The two halves of decodePlan that are not copying: the FlatBuffer's form before, the meaning of its values after.
#pragma once

#include "runtime/src/PlanTables.h"

namespace mmc::runtime {

/// Decoded tables may take this much memory beyond the size of the metadata segment; more means that parts of the
/// FlatBuffer are shared so often that it is an attack and no plan.
inline constexpr uint64_t kDecodeHeadroom = uint64_t(8) << 20;

/// Checks the FlatBuffer's structure: offsets, vtables, vectors, strings, identifier. Bounded time for hostile input.
Status verifyMetadataForm(std::span<const uint8_t> metadata);

/// Checks the values of decoded tables and fills what is derived (layerOrdinals).
Status verifyTables(PlanTables &plan, uint64_t constantsBytes, uint64_t imagesBytes);

// Its parts, in the order in which each relies on the one before.
Status verifyFigures(const PlanTables &plan);
Status verifyStack(PlanTables &plan);
Status verifyWeights(const PlanTables &plan);
Status verifyBindings(const PlanTables &plan);
Status verifyConstants(const PlanTables &plan, uint64_t constantsBytes);
Status verifyMemory(const PlanTables &plan);
Status verifyEntryPoints(const PlanTables &plan);
Status verifyKernels(const PlanTables &plan);
/// Images of kernels and how they are launched: present for CUDA, absent for the cpu.
Status verifyDeviceCode(const PlanTables &plan, uint64_t imagesBytes);
/// The tensor maps of a function of a described kernel.
Status verifyMaps(const Kernel &kernel, const DeviceFunction &function, const std::string &who);
Status verifyPrograms(const PlanTables &plan);
/// A launch, whose ordinals were checked, against the description of its kernel, where it has one.
Status verifyInterface(const PlanTables &plan, const Launch &launch, const std::string &who);
/// Launches that may run at the same time.
Status verifyBranches(const PlanTables &plan);
Status verifyLiveness(const PlanTables &plan);

/// `plan metadata: FIELD is FOUND, expected EXPECTED`.
Status badField(const std::string &field, const std::string &found, const std::string &expected);
Status badField(const std::string &field, uint64_t found, const std::string &expected);
/// Fails unless low <= value <= high.
Status checkRange(const std::string &field, uint64_t value, uint64_t low, uint64_t high);
/// `name[index]`, with the entry's own name where it has one.
std::string entryName(const char *list, size_t index, const std::string &name = {});
/// Product of extents times `factor`; fails where an extent is 0, there are more than kMaxRank, or the product reaches
/// kMaxBytes.
inline constexpr uint64_t kMaxBytes = uint64_t(1) << 56;
Status checkShape(const std::string &field, const std::vector<uint64_t> &shape, uint64_t factor, uint64_t &product);

} // namespace mmc::runtime

// What ptxas says of a kernel (`--ptxas-options=-v`), and what a disassembler shows of it, as numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mmc::cuda {

struct PtxasFigures {
  bool found = false; // ptxas spoke of the kernel
  uint32_t registers = 0;
  // Of the kernel and all functions that were not inlined, the largest.
  uint32_t stackBytes = 0, spillStoreBytes = 0, spillLoadBytes = 0;
  uint32_t staticSharedBytes = 0;
  /// Lines that must not be there: warnings, and remarks such as (C7517) by which ptxas says that it has ignored
  /// setmaxnreg, serialised products, or put in a wait or an arrive.
  std::vector<std::string> remarks;
};
PtxasFigures readPtxas(const std::string &log, const std::string &kernel);

struct SassFigures {
  std::map<std::string, uint32_t> counts; // by the opcode's first word: HMMA, LDL; WARPGROUP.ARRIVE with its second
  uint32_t batches = 0;                   // of HGMMA and its kin: those that end one
  uint32_t countOf(const std::string &opcode) const;
};
/// From the text of `nvdisasm -ndf -c`.
SassFigures readSass(const std::string &text);

} // namespace mmc::cuda

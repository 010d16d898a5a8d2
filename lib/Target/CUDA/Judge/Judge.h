// A static judge of emitted kernels: what ptxas and the disassembler show of each against what it may have.
//
// It needs no GPU. It fails where nothing is known as well: a kernel without figures, or without a budget.
#pragma once

#include "lib/Target/CUDA/Judge/Figures.h"
#include "runtime/src/Status.h"

#include <optional>

namespace mmc::cuda {

/// The most that kernels may have whose names match.
struct Budget {
  std::string kernels, architectures; // with * for any characters
  uint32_t registers = 0, stackBytes = 0, spillBytes = 0, sharedBytes = 0;
};

/// A table: one budget per line, six columns in the order of the fields, apart by spaces; `#` begins a comment. The
/// first line that matches counts. A line that cannot be read is a failure that names it.
runtime::Expected<std::vector<Budget>> readBudgets(const std::string &table, const std::string &file);
const Budget *budgetOf(const std::vector<Budget> &budgets, const std::string &kernel, const std::string &architecture);

/// What is wrong with a kernel; empty if nothing. `sharedBytes` is all of its shared memory: most is dynamic, so ptxas
/// does not know it.
std::vector<std::string> judgePtxas(const PtxasFigures &figures, uint32_t sharedBytes, const Budget *budget);
/// Local memory is touched, or the instructions that the source asks for are not there: tensor cores for multiply(),
/// HGMMA with one arrive per batch for products of warpgroups, as many UTMALDG as loads by tensor maps.
std::vector<std::string> judgeSass(const SassFigures &figures, const std::string &source);

} // namespace mmc::cuda

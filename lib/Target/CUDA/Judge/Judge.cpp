// Implements the rules.
#include "lib/Target/CUDA/Judge/Judge.h"

#include <regex>
#include <sstream>

namespace mmc::cuda {

using runtime::Status;

namespace {

constexpr runtime::ErrorKind kBudgetTable{926, runtime::StatusCode::usage,
                                          "write KERNELS ARCHITECTURES REGISTERS STACK SPILLS SHARED"};

/// `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') return !text.empty() && text[0] == pattern[0] && matches(pattern.substr(1), text.substr(1));
  for (size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matches(pattern.substr(1), text.substr(skipped))) return true;
  return false;
}

bool has(const std::string &source, const char *pattern) { return std::regex_search(source, std::regex(pattern)); }

uint32_t countOf(const std::string &source, const char *pattern) {
  const std::regex wanted(pattern);
  return uint32_t(std::distance(std::sregex_iterator(source.begin(), source.end(), wanted), std::sregex_iterator()));
}

} // namespace

runtime::Expected<std::vector<Budget>> readBudgets(const std::string &table, const std::string &file) {
  std::vector<Budget> budgets;
  std::istringstream lines(table);
  int number = 1;
  for (std::string line; std::getline(lines, line); ++number) {
    std::istringstream columns(line.substr(0, line.find('#')));
    Budget budget;
    std::string rest;
    if (!(columns >> budget.kernels)) continue;
    columns >> budget.architectures >> budget.registers >> budget.stackBytes >> budget.spillBytes >> budget.sharedBytes;
    if (!columns || columns >> rest)
      return Status(kBudgetTable, file + ":" + std::to_string(number) + ": '" + line + "' is no budget");
    budgets.push_back(budget);
  }
  return budgets;
}

const Budget *budgetOf(const std::vector<Budget> &budgets, const std::string &kernel, const std::string &architecture) {
  for (const Budget &budget : budgets)
    if (matches(budget.kernels, kernel) && matches(budget.architectures, architecture)) return &budget;
  return nullptr;
}

std::vector<std::string> judgePtxas(const PtxasFigures &figures, uint32_t sharedBytes, const Budget *budget) {
  std::vector<std::string> complaints = figures.remarks;
  if (!figures.found) complaints.push_back("ptxas gives no figures");
  if (!budget) complaints.push_back("no line of the budget table is about it");
  if (!figures.found || !budget) return complaints;
  const struct {
    const char *what;
    uint32_t found, most;
  } figuresAndBudgets[] = {
      {"registers", figures.registers, budget->registers},
      {"bytes of stack", figures.stackBytes, budget->stackBytes},
      {"bytes of spill stores", figures.spillStoreBytes, budget->spillBytes},
      {"bytes of spill loads", figures.spillLoadBytes, budget->spillBytes},
      {"bytes of shared memory", sharedBytes, budget->sharedBytes},
  };
  for (const auto &[what, found, most] : figuresAndBudgets)
    if (found > most)
      complaints.push_back(std::to_string(found) + " " + what + ", expected at most " + std::to_string(most));
  return complaints;
}

std::vector<std::string> judgeSass(const SassFigures &figures, const std::string &source) {
  std::vector<std::string> complaints;
  if (figures.counts.empty()) return {"the disassembly has no instructions"};
  for (const char *local : {"LDL", "STL"})
    if (const uint32_t count = figures.countOf(local))
      complaints.push_back(std::to_string(count) + " " + local + ", expected none: local memory is touched");
  const uint32_t warpgroup = figures.countOf("HGMMA") + figures.countOf("IGMMA") + figures.countOf("QGMMA");
  const uint32_t warp = figures.countOf("HMMA") + figures.countOf("IMMA") + figures.countOf("QMMA");
  // multiply() is a product of warps unless its policy says otherwise; multiplyAsync() is one of warpgroups.
  const bool policy = has(source, R"(\bWgmma\b|\bwgmma\w*\b)"), async = has(source, R"(\bmultiplyAsync\()");
  if ((policy || async) && !warpgroup)
    complaints.push_back("no HGMMA, expected some: the source multiplies by warpgroups");
  if (has(source, R"(\bmultiply\()") && !policy && !warp)
    complaints.push_back("no HMMA, expected some: the source multiplies tiles");
  if (const uint32_t arrives = figures.countOf("WARPGROUP.ARRIVE"); arrives > figures.batches)
    complaints.push_back(std::to_string(arrives) + " WARPGROUP.ARRIVE, expected at most one for each of the " +
                         std::to_string(figures.batches) + " batches of products");
  // One call loads one box, or more.
  const uint32_t loads = countOf(source, R"(\btensorLoad\w*\()"), found = figures.countOf("UTMALDG");
  if (found < loads)
    complaints.push_back(std::to_string(found) + " UTMALDG, expected at least " + std::to_string(loads) +
                         ": the source loads by tensor maps so often");
  return complaints;
}

} // namespace mmc::cuda

// Implements the reading of both texts, line by line.
#include "lib/Target/CUDA/Judge/Figures.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace mmc::cuda {

namespace {

void raise(uint32_t &most, const std::string &number) { most = std::max(most, uint32_t(std::stoul(number))); }

} // namespace

PtxasFigures readPtxas(const std::string &log, const std::string &kernel) {
  static const std::regex frame(R"((\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads)");
  static const std::regex used(R"(Used (\d+) registers)"), shared(R"((\d+) bytes smem)");
  static const std::regex cumulative(R"((\d+) bytes cumulative stack size)");
  static const std::regex remark(R"(\(C75\d\d\)|\bwarning\b|\berror\b)");
  PtxasFigures figures;
  bool framed = false, counted = false, inKernel = false;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, remark)) figures.remarks.push_back(line);
    if (line.find("Compiling entry function") != std::string::npos)
      inKernel = line.find("'" + kernel + "'") != std::string::npos;
    if (!inKernel) continue;
    if (std::regex_search(line, match, frame)) {
      framed = true;
      raise(figures.stackBytes, match[1]);
      raise(figures.spillStoreBytes, match[2]);
      raise(figures.spillLoadBytes, match[3]);
    }
    if (std::regex_search(line, match, cumulative)) raise(figures.stackBytes, match[1]);
    if (std::regex_search(line, match, used)) {
      counted = true;
      raise(figures.registers, match[1]);
    }
    if (std::regex_search(line, match, shared)) raise(figures.staticSharedBytes, match[1]);
  }
  figures.found = framed && counted;
  return figures;
}

uint32_t SassFigures::countOf(const std::string &opcode) const {
  const auto at = counts.find(opcode);
  return at == counts.end() ? 0 : at->second;
}

SassFigures readSass(const std::string &text) {
  // `        /*0a40*/              @!P0 LDL.64 R2, [R1+0x8] ;`
  SassFigures figures;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t open = line.find_first_not_of(" \t"), close = line.find("*/");
    if (open == std::string::npos || line.compare(open, 2, "/*") != 0 || close == std::string::npos) continue;
    std::istringstream words(line.substr(close + 2));
    std::string word;
    if (!(words >> word)) continue;
    if (word[0] == '@' && !(words >> word)) continue; // a predicate comes before
    if (word[0] < 'A' || word[0] > 'Z') continue;
    std::string opcode = word.substr(0, word.find('.'));
    if (opcode == "WARPGROUP") opcode = word.substr(0, word.find('.', opcode.size() + 1));
    ++figures.counts[opcode];
    if (opcode.ends_with("GMMA") && line.find("gsb0", close) != std::string::npos) ++figures.batches;
  }
  return figures;
}

} // namespace mmc::cuda

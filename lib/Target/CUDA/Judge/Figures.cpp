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
  static const std::regex instruction(
      R"(^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)((?:\.[A-Za-z0-9_]+)*)(.*)$)");
  SassFigures figures;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, instruction)) continue;
    std::string opcode = match[1];
    if (opcode == "WARPGROUP") opcode += match[2].str().substr(0, match[2].str().find('.', 1));
    ++figures.counts[opcode];
    if (opcode.ends_with("GMMA") && match[3].str().find("gsb0") != std::string::npos) ++figures.batches;
  }
  return figures;
}

} // namespace mmc::cuda

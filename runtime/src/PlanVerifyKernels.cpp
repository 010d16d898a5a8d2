// Checks the kernels of a decoded plan, and launches against what their kernels were compiled for: the kind, the access
// and the element type of every argument word, the memory behind it, and the work domain.
//
// A description says what code may reach, so a launch that agrees with it stays inside its memory. That the description
// is the code's own, the host object's records show (LoadedPlan.cpp).
#include "runtime/src/PlanVerify.h"

#include <algorithm>
#include <set>

namespace mmc::runtime {

namespace {

Status verifyParameter(const std::string &who, const Parameter &parameter) {
  if (parameter.kinds.empty() || std::adjacent_find(parameter.kinds.begin(), parameter.kinds.end(),
                                                    std::greater_equal<ArgumentKind>()) != parameter.kinds.end())
    return badField(who + " kinds", parameter.kinds.empty() ? "empty" : "unordered", "ascending, at least 1");
  MMC_RETURN_IF_ERROR(checkRange(who + " bytes", parameter.bytes, 0, kMaxBytes));
  MMC_RETURN_IF_ERROR(checkRange(who + " shape rank", parameter.shape.size(), 0, kMaxRank));
  return {};
}

Status verifyDescription(const std::string &who, const Kernel &kernel) {
  if (kernel.interface.size() != kernel.parameters.size())
    return badField(who + " interface count", kernel.interface.size(),
                    std::to_string(kernel.parameters.size()) + ", one per parameter");
  if (kernel.domain.size() != kernel.domainRank)
    return badField(who + " domain count", kernel.domain.size(), "domain_rank = " + std::to_string(kernel.domainRank));
  for (size_t i = 0; i < kernel.interface.size(); ++i)
    MMC_RETURN_IF_ERROR(
        verifyParameter(who + " " + entryName("interface", i, kernel.parameters[i]), kernel.interface[i]));
  for (const Extent &extent : kernel.domain)
    if (extent.kind == ExtentKind::work &&
        (extent.value >= kernel.interface.size() ||
         kernel.interface[extent.value].kinds != std::vector{ArgumentKind::workList}))
      return badField(who + " domain value", extent.value, "a parameter that is a work list");
  return {};
}

/// One launch against its kernel's description.
class InterfaceVerifier {
public:
  InterfaceVerifier(const PlanTables &plan, const Launch &launch, const std::string &who)
      : plan(plan), launch(launch), kernel(plan.kernels[launch.kernel]), who(who) {}

  Status run() {
    for (size_t i = 0; i < launch.arguments.size(); ++i)
      MMC_RETURN_IF_ERROR(argument(i, launch.arguments[i], kernel.interface[i]));
    for (size_t i = 0; i < launch.domain.size(); ++i) MMC_RETURN_IF_ERROR(extent(i));
    return {};
  }

private:
  Status bad(const std::string &found, const std::string &expected) const {
    return badField(field, found, expected + ", as '" + kernel.name + "' was compiled for");
  }

  Status equal(const char *what, uint64_t found, uint64_t expected) const {
    return found == expected ? Status() : bad(what + std::to_string(found), what + std::to_string(expected));
  }

  Status extent(size_t i) {
    field = who + ".domain[" + std::to_string(i) + "]";
    const Extent &found = launch.domain[i], &expected = kernel.domain[i];
    if (found.kind != expected.kind)
      return bad("of kind " + std::to_string(int(found.kind)), "kind " + std::to_string(int(expected.kind)));
    if (found.kind == ExtentKind::fixed) return equal("", found.value, expected.value);
    if (found.kind == ExtentKind::work) return equal("work list ", found.value, launch.arguments[expected.value].index);
    return {};
  }

  Status argument(size_t i, const Argument &argument, const Parameter &parameter) {
    field = who + "." + entryName("arguments", i, kernel.parameters[i]);
    if (!std::count(parameter.kinds.begin(), parameter.kinds.end(), argument.kind)) {
      std::string kinds;
      for (ArgumentKind kind : parameter.kinds)
        kinds += (kinds.empty() ? "" : " or ") + std::string(argumentKindName(kind));
      return bad(argumentKindName(argument.kind), kinds);
    }
    if (argument.written != parameter.written)
      return bad(argument.written ? "written" : "read only", parameter.written ? "written" : "read only");
    switch (argument.kind) {
    case ArgumentKind::buffer:
      return buffer(argument, parameter);
    case ArgumentKind::weight:
      return weight(argument, parameter);
    case ArgumentKind::constant: {
      const Constant &constant = plan.constants[argument.index];
      MMC_RETURN_IF_ERROR(dtype(constant.dtype, parameter.dtype));
      return reaches(constant.layerBytes ? constant.layerBytes : constant.bytes, argument, parameter, Rows::none);
    }
    case ArgumentKind::pool:
      return pool(argument, parameter);
    case ArgumentKind::pageTable:
      MMC_RETURN_IF_ERROR(equal("page_tokens ", plan.pageTokens, parameter.pageTokens));
      return equal("pages_per_sequence ", plan.pagesPerSequence, parameter.pagesPerSequence);
    case ArgumentKind::workList: {
      const WorkList &list = plan.workLists[argument.index];
      if (!(parameter.filters >> int(list.filter) & 1))
        return bad("a work list of filter " + std::to_string(int(list.filter)),
                   "one of the filters " + std::to_string(int(parameter.filters)));
      return equal("tile_rows ", list.tileRows, parameter.tileRows);
    }
    case ArgumentKind::logits:
      MMC_RETURN_IF_ERROR(dtype(DType::f32, parameter.dtype));
      return equal("bytes per output ", uint64_t(plan.vocabulary) * sizeof(float), parameter.bytes);
    case ArgumentKind::tokenIds:
    case ArgumentKind::rowPositions:
    case ArgumentKind::rowSlots:
    case ArgumentKind::outputRows:
      return dtype(DType::i32, parameter.dtype);
    default:
      return {};
    }
  }

  Status dtype(DType found, DType expected) const {
    return found == expected ? Status() : bad(dtypeName(found), dtypeName(expected));
  }

  /// `available` bytes per row, or in all, hold what the kernel reaches from the argument's offset on.
  Status reaches(uint64_t available, const Argument &argument, const Parameter &parameter, Rows rows) const {
    if (parameter.rows == rows && argument.offset <= available && parameter.bytes <= available - argument.offset)
      return {};
    const std::string from = argument.offset ? " from offset " + std::to_string(argument.offset) : "";
    return bad(std::to_string(available) + " bytes " + rowsName(rows) + from,
               "at least " + std::to_string(parameter.bytes) + " bytes " + rowsName(parameter.rows));
  }

  Status buffer(const Argument &argument, const Parameter &parameter) const {
    const Buffer &buffer = plan.buffers[argument.index];
    MMC_RETURN_IF_ERROR(dtype(buffer.dtype, parameter.dtype));
    const uint64_t available = parameter.rows == Rows::tokens      ? buffer.bytesPerToken
                               : parameter.rows == Rows::outputs   ? buffer.bytesPerOutput
                               : parameter.rows == Rows::sequences ? buffer.bytesPerSequence
                                                                   : buffer.bytesFixed;
    return reaches(available, argument, parameter, parameter.rows);
  }

  Status weight(const Argument &argument, const Parameter &parameter) const {
    const Weight &weight = plan.weights[argument.index];
    MMC_RETURN_IF_ERROR(dtype(weight.layout.dtype, parameter.dtype));
    std::vector<uint64_t> shape = weight.shape;
    if (weight.experts) shape.insert(shape.begin(), weight.experts);
    if (shape != parameter.shape)
      return bad("a weight of shape " + text(shape), "one of shape " + text(parameter.shape));
    const Layout &layout = weight.layout;
    const bool panels = layout.kind == LayoutKind::panels;
    const std::vector<uint64_t> found = {panels ? layout.panelN : 0, panels ? layout.panelK : 0,
                                         panels ? layout.rowMultiple() : 0};
    const std::vector<uint64_t> expected = {parameter.panelN, parameter.panelK, parameter.padN};
    if (found != expected) return bad("a weight in panels " + text(found), "one in panels " + text(expected));
    return reaches(weight.bytes, argument, parameter, Rows::none);
  }

  Status pool(const Argument &argument, const Parameter &parameter) const {
    const Pool &pool = plan.pools[argument.index];
    MMC_RETURN_IF_ERROR(dtype(pool.dtype, parameter.dtype));
    if ((pool.kind == PoolKind::pages) != (parameter.pageTokens != 0))
      return bad(pool.kind == PoolKind::pages ? "a pool of pages" : "a pool of slots",
                 parameter.pageTokens ? "a pool of pages" : "a pool of slots");
    if (parameter.pageTokens) MMC_RETURN_IF_ERROR(equal("page_tokens ", plan.pageTokens, parameter.pageTokens));
    MMC_RETURN_IF_ERROR(equal("unit_bytes ", pool.unitBytes, parameter.bytes));
    return equal("offset ", argument.offset, 0);
  }

  static std::string text(const std::vector<uint64_t> &figures) {
    std::string text;
    for (uint64_t figure : figures) text += (text.empty() ? "" : " x ") + std::to_string(figure);
    return text;
  }

  const PlanTables &plan;
  const Launch &launch;
  const Kernel &kernel;
  const std::string &who;
  std::string field;
};

} // namespace

Status verifyKernels(const PlanTables &plan) {
  if (plan.variants.empty()) return badField("variants count", uint64_t(0), "at least 1");
  if (std::set<std::string>(plan.variants.begin(), plan.variants.end()).size() != plan.variants.size())
    return badField("variants", std::string("a list with a name twice"), "distinct names");
  std::set<std::string> symbols;
  for (size_t i = 0; i < plan.kernels.size(); ++i) {
    const Kernel &kernel = plan.kernels[i];
    const std::string who = entryName("kernels", i, kernel.name);
    if (kernel.symbols.size() != plan.variants.size())
      return badField(who + " symbols count", kernel.symbols.size(),
                      std::to_string(plan.variants.size()) + ", one per variant");
    const size_t scratch = plan.onDevice() ? 0 : plan.variants.size();
    if (kernel.scratchBytes.size() != scratch)
      return badField(who + " scratch_bytes count", kernel.scratchBytes.size(),
                      plan.onDevice() ? "0, as target " + plan.target + " has none"
                                      : std::to_string(scratch) + ", one per variant");
    for (size_t v = 0; v < plan.variants.size(); ++v) {
      const std::string &symbol = kernel.symbols[v], expected = kernelSymbol(kernel.name, plan.variants[v]);
      if (symbol != expected)
        return badField(who + " symbol", "'" + symbol.substr(0, 120) + "'", "'" + expected.substr(0, 240) + "'");
      if (!symbols.insert(symbol).second)
        return badField(who + " symbol", "'" + symbol.substr(0, 120) + "' once more", "each symbol once");
    }
    for (uint64_t bytes : kernel.scratchBytes)
      MMC_RETURN_IF_ERROR(checkRange(who + " scratch_bytes", bytes, 0, uint64_t(1) << 30));
    MMC_RETURN_IF_ERROR(checkRange(who + " parameters count", kernel.parameters.size(), 0, kMaxArguments));
    MMC_RETURN_IF_ERROR(checkRange(who + " domain_rank", kernel.domainRank, 0, kMaxDomainRank));
    if (kernel.described) MMC_RETURN_IF_ERROR(verifyDescription(who, kernel));
  }
  return {};
}

Status verifyInterface(const PlanTables &plan, const Launch &launch, const std::string &who) {
  if (!plan.kernels[launch.kernel].described) return {};
  return InterfaceVerifier(plan, launch, who).run();
}

} // namespace mmc::runtime

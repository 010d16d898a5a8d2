#include "dialects/Tile/IR/KernelSyntax.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

/// Parses `domain(%p in #tile.extent<...>, ...)`: appends the points to `points`, the extents to `extents`.
static ParseResult parseDomain(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &points,
                               SmallVectorImpl<Attribute> &extents) {
  if (parser.parseKeyword("domain")) return failure();
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&]() -> ParseResult {
    OpAsmParser::Argument point;
    Attribute extent;
    if (parser.parseArgument(point) || parser.parseKeyword("in") || parser.parseAttribute(extent)) return failure();
    point.type = parser.getBuilder().getIndexType();
    points.push_back(point);
    extents.push_back(extent);
    return success();
  });
}

ParseResult mmc::tile::parseKernelHead(OpAsmParser &parser, OperationState &result,
                                       SmallVectorImpl<OpAsmParser::Argument> &entry) {
  Builder &builder = parser.getBuilder();
  StringAttr name;
  if (parser.parseSymbolName(name, "sym_name", result.attributes) ||
      parser.parseArgumentList(entry, OpAsmParser::Delimiter::Paren, /*allowType=*/true, /*allowAttrs=*/true))
    return failure();
  SmallVector<Type> types;
  SmallVector<Attribute> attributes, extents;
  for (OpAsmParser::Argument &argument : entry) {
    types.push_back(argument.type);
    attributes.push_back(argument.attrs ? argument.attrs : builder.getDictionaryAttr({}));
  }
  if (parseDomain(parser, entry, extents)) return failure();
  result.addAttribute("function_type", TypeAttr::get(builder.getFunctionType(types, {})));
  result.addAttribute("domain", builder.getArrayAttr(extents));
  if (!types.empty()) result.addAttribute("arg_attrs", builder.getArrayAttr(attributes));
  return success();
}

void mmc::tile::printKernelHead(OpAsmPrinter &printer, StringRef name, Block &entry, unsigned arguments,
                                ArrayAttr argumentAttributes, ArrayAttr domain) {
  printer << ' ';
  printer.printSymbolName(name);
  printer << '(';
  for (unsigned i = 0; i < arguments; ++i) {
    printer << (i ? ", " : "");
    printer.printRegionArgument(entry.getArgument(i), argumentAttributes
                                                          ? cast<DictionaryAttr>(argumentAttributes[i]).getValue()
                                                          : ArrayRef<NamedAttribute>());
  }
  printer << ") domain(";
  for (auto [i, point] : llvm::enumerate(entry.getArguments().drop_front(arguments))) {
    printer << (i ? ", " : "");
    printer.printOperand(point);
    printer << " in " << domain[i];
  }
  printer << ')';
}

// The dialect object: registration of its attributes, types and ops, the short names (aliases) of its encodings in
// printed modules, and the predicates behind the operand constraints of the ops. Invariant: every row tensor has a
// dynamic dimension 0 and static other dimensions.
#include "dialects/Model/IR/Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mmc::model;

#include "dialects/Model/IR/ModelDialect.cpp.inc"
#include "dialects/Model/IR/ModelEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Model/IR/ModelAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Model/IR/ModelTypes.cpp.inc"

namespace {

/// Row spaces print as #tokens, #routes and #outputs, so that a row tensor is as short as `tensor<?x64xf32, #tokens>`.
struct ModelAliases : public OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Attribute attr, raw_ostream &os) const override {
    auto rows = dyn_cast<RowsAttr>(attr);
    if (!rows) return AliasResult::NoAlias;
    os << stringifyRowSpace(rows.getSpace());
    return AliasResult::FinalAlias;
  }
};

} // namespace

void ModelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Model/IR/ModelAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Model/IR/ModelTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Model/IR/ModelOps.cpp.inc"
      >();
  addInterfaces<ModelAliases>();
}

std::optional<RowSpace> mmc::model::getRowSpace(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() < 1 || !tensor.isDynamicDim(0)) return std::nullopt;
  auto rows = dyn_cast_if_present<RowsAttr>(tensor.getEncoding());
  if (!rows || ShapedType::isDynamicShape(tensor.getShape().drop_front())) return std::nullopt;
  return rows.getSpace();
}

bool mmc::model::isFloatRows(Type type) {
  return getRowSpace(type) && isa<FloatType>(cast<RankedTensorType>(type).getElementType());
}

bool mmc::model::isIntRows(Type type) {
  return getRowSpace(type) && cast<RankedTensorType>(type).getElementType().isInteger(32);
}

bool mmc::model::isParameter(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && !tensor.getEncoding() && isa<FloatType>(tensor.getElementType());
}

bool mmc::model::isOffsets(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getRank() == 1 && !tensor.getEncoding() &&
         tensor.getElementType().isInteger(32);
}

bool mmc::model::isRecurrentState(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && isa_and_present<StateAttr>(tensor.getEncoding()) &&
         isa<FloatType>(tensor.getElementType());
}

bool mmc::model::isCache(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa_and_present<KVAttr>(tensor.getEncoding()) && isa<FloatType>(tensor.getElementType());
}

bool mmc::model::isAnyState(Type type) { return isRecurrentState(type) || isCache(type); }

RankedTensorType mmc::model::getRowType(RowSpace space, ArrayRef<int64_t> channels, Type element) {
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  llvm::append_range(shape, channels);
  return RankedTensorType::get(shape, element, RowsAttr::get(element.getContext(), space));
}

void mmc::model::registerModelDialect(DialectRegistry &registry) {
  registry.insert<ModelDialect, arith::ArithDialect, func::FuncDialect, math::MathDialect, scf::SCFDialect,
                  tensor::TensorDialect>();
}

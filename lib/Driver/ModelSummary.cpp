// Counts a model's parameters on its description; the only file of the commands that reads MLIR.
#include "lib/Driver/ModelSummary.h"

#include "dialects/Model/IR/Model.h"
#include "lib/Compiler/ParameterCount.h"
#include "lib/Driver/CompileFlags.h"
#include "lib/Import/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/raw_ostream.h"

namespace mmc::driver {

namespace {

inline constexpr ErrorKind kModelText{1011, StatusCode::failed, "correct the model description; `mmc-opt FILE` shows the same message"};

std::string describe(mlir::Diagnostic &diagnostic) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (auto place = llvm::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
    out << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
  out << diagnostic;
  return text;
}

/// The module of a model.mlir, or of an imported config; the diagnostics of a parse become the message.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> readModule(mlir::MLIRContext &context, const std::string &input) {
  if (inputKind(input) != InputKind::modelText) {
    auto imported = import::importModel(context, input);
    MMC_RETURN_IF_ERROR(imported.status());
    return std::move(imported->module);
  }
  std::string messages;
  mlir::ScopedDiagnosticHandler collect(&context, [&](mlir::Diagnostic &diagnostic) {
    if (!messages.empty()) messages += "; ";
    messages += describe(diagnostic);
    return mlir::success();
  });
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module) return Status(kModelText, messages.empty() ? input + ": cannot be parsed" : messages);
  return std::move(module);
}

} // namespace

Expected<ModelSummary> summarizeModel(const std::string &input) {
  mlir::DialectRegistry registry;
  model::registerModelDialect(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = readModule(context, input);
  MMC_RETURN_IF_ERROR(module.status());
  auto programs = (*module)->getOps<model::ProgramOp>();
  if (programs.begin() == programs.end()) return Status(kModelText, input + ": has no model.program");
  model::ProgramOp program = *programs.begin();
  const ParameterCount count = countParameters(program);
  ModelSummary summary{program.getSymName().str(), 0, count.total, count.active};
  program.walk([&](model::StackOp stack) { summary.layers += stack.expandPattern().size(); });
  return summary;
}

} // namespace mmc::driver

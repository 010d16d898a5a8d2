// Reads model descriptions; see ModelModule.h.
#include "lib/Driver/ModelModule.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "lib/Driver/CompileFlags.h"
#include "lib/Import/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

namespace mmc::driver {

namespace {

inline constexpr ErrorKind kModelText{1011, StatusCode::failed,
                                      "correct the model description; `mmc-opt FILE` shows the same message"};

/// Collects diagnostics as one line while it exists.
class Messages {
public:
  explicit Messages(mlir::MLIRContext &context)
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          if (!text.empty()) text += "; ";
          llvm::raw_string_ostream out(text);
          if (auto place = llvm::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
            out << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
          out << diagnostic;
          return mlir::success();
        }) {}
  std::string text;

private:
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace

ModelModule::ModelModule() {
  mlir::DialectRegistry registry;
  model::registerModelDialect(registry);
  context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->printOpOnDiagnostic(false); // a message is a line; the whole op is for mmc-opt
}

Expected<std::unique_ptr<ModelModule>> ModelModule::read(const std::string &input) {
  std::unique_ptr<ModelModule> result(new ModelModule());
  if (inputKind(input) == InputKind::modelText) {
    Messages messages(*result->context);
    result->owned = mlir::parseSourceFile<mlir::ModuleOp>(input, result->context.get());
    if (!result->owned) return Status(kModelText, messages.text.empty() ? input + ": cannot be parsed" : messages.text);
  } else {
    auto imported = import::importModel(*result->context, input);
    MMC_RETURN_IF_ERROR(imported.status());
    result->owned = std::move(imported->module);
  }
  auto programs = (*result->owned).getOps<model::ProgramOp>();
  if (std::distance(programs.begin(), programs.end()) != 1)
    return Status(kModelText, input + ": expected one model.program");
  return result;
}

model::ProgramOp ModelModule::program() { return *(*owned).getOps<model::ProgramOp>().begin(); }

Status ModelModule::assignPrecision(const std::string &dtype) {
  Messages messages(*context);
  mlir::PassManager manager(context.get());
  model::AssignPrecisionOptions options;
  options.dtype = dtype;
  manager.addNestedPass<model::ProgramOp>(model::createDecomposeExperts());
  manager.addNestedPass<model::ProgramOp>(model::createAssignPrecision(options));
  if (mlir::succeeded(manager.run(*owned))) return {};
  return Status(kModelText, messages.text.empty() ? "precision cannot be assigned" : messages.text);
}

} // namespace mmc::driver

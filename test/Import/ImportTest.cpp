// From configurations and checkpoints to programs: what is built, that the three dialects of one model import alike, and that a checkpoint that
// does not belong to its configuration is refused with the tensor's name.
#include "dialects/Model/IR/Model.h"
#include "lib/Import/Import.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace mmc;
using namespace mmc::import;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

const std::string kInputs = std::string(MMC_SOURCE_DIR) + "/test/Inputs/";

class ImportTest : public testing::Test {
protected:
  mlir::MLIRContext context{[] {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    return registry;
  }()};

  std::string text(mlir::ModuleOp module) {
    std::string out;
    llvm::raw_string_ostream os(out);
    module.print(os);
    return out;
  }
  std::string textOf(const std::string &path, const ImportOptions &options = {}) {
    Expected<ImportedModel> imported = importModel(context, path, options);
    EXPECT_TRUE(imported.ok()) << imported.status().text();
    return imported.ok() ? text(*imported->module) : "";
  }
};

TEST_F(ImportTest, ReleasedModelIsShortAndParsesAgain) {
  std::string printed = textOf(kInputs + "text01-full/config.json");
  if (getenv("MMC_PRINT")) puts(printed.c_str());
  EXPECT_THAT(printed, HasSubstr("[[10, [7, @lightning], @softmax]]"));
  EXPECT_THAT(printed, HasSubstr("tensor<80x64xf32> = #model.lightning_rates<layers = 80, heads = 64, form = original>"));
  EXPECT_LT(std::count(printed.begin(), printed.end(), '\n'), 60);
  auto again = mlir::parseSourceString<mlir::ModuleOp>(printed, &context);
  ASSERT_TRUE(again);
  EXPECT_EQ(text(*again), printed);
}

TEST_F(ImportTest, BothReleasesImportAlike) {
  EXPECT_EQ(textOf(kInputs + "text01-full/config.json"), textOf(kInputs + "m1-full/config.json"));
}

TEST_F(ImportTest, FixturesImport) {
  for (const char *name : {"text01-tiny", "text01-prenorm", "text01-heads12", "text01-ranks8", "native-tiny"}) {
    SCOPED_TRACE(name);
    textOf(kInputs + name);
  }
}

} // namespace

// From configurations and checkpoints to programs: what is built, that the three dialects of one model import alike,
// and that a checkpoint that does not belong to its configuration is refused with the tensor's name.
#include "lib/Import/Import.h"
#include "dialects/Model/IR/Model.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace mmc;
using namespace mmc::import;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

const std::string kInputs = std::string(MMC_SOURCE_DIR) + "/test/Inputs/";

/// A folder with the files of a fixture, of which a test changes some.
class Folder {
public:
  explicit Folder(const std::string &fixture)
      : path(fs::temp_directory_path() / ("mmc-import-" + std::to_string(getpid()))) {
    fs::remove_all(path);
    fs::create_directory(path);
    for (const char *file : {"config.json", "model.safetensors"}) fs::copy(kInputs + fixture + "/" + file, path / file);
  }
  ~Folder() { fs::remove_all(path); }

  /// Replaces the first occurrence of `from` by `to` in a file; the lengths must agree in a .safetensors file.
  void edit(const std::string &file, const std::string &from, const std::string &to) {
    std::ifstream in(path / file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(path / file, std::ios::binary) << text;
  }
  /// The error of importing the folder.
  std::string error(mlir::MLIRContext &context) {
    Expected<ImportedModel> imported = importModel(context, path.string());
    return imported.ok() ? "imported" : imported.status().text();
  }

  fs::path path;
};

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
  EXPECT_THAT(printed, HasSubstr("[[10, [7, @lightning], @softmax]]"));
  EXPECT_THAT(printed,
              HasSubstr("tensor<80x64xf32> = #model.lightning_rates<layers = 80, heads = 64, form = original>"));
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

/// C6: the native spelling of a model differs from the original one by the slope formulas only.
TEST_F(ImportTest, NativeDialectImportsAlike) {
  auto native = readConfig(kInputs + "native-tiny"), original = native;
  ASSERT_TRUE(native.ok()) << native.status().text();
  original->native = false;
  std::string text1 = text(*buildModel(context, *native)), text2 = text(*buildModel(context, *original));
  EXPECT_NE(text1, text2);
  text1.replace(text1.find("form = native"), 13, "form = original");
  EXPECT_EQ(text1, text2);
}

TEST_F(ImportTest, WarningsOfTheConfigurationAreHandedOut) {
  std::vector<std::string> warnings;
  ImportOptions options;
  options.warn = [&](const std::string &text) { warnings.push_back(text); };
  textOf(kInputs + "native-tiny", options);
  EXPECT_THAT(warnings, testing::IsEmpty());
  Folder folder("native-tiny");
  folder.edit("config.json", "\"head_dim\": 16", "\"rotary_dim\": 8, \"head_dim\": 16");
  EXPECT_THAT(textOf(folder.path.string(), options), HasSubstr("dims 8"));
  EXPECT_THAT(warnings, testing::ElementsAre(HasSubstr("field 'rotary_dim' 8 is honoured")));
}

TEST_F(ImportTest, LayersAreGroupedByTheirShortestPeriod) {
  using enum ModelConfig::Layer;
  EXPECT_EQ(groupLayers({lightning, lightning, softmax, lightning, lightning, softmax}).count, 2);
  LayerGroup odd = groupLayers({softmax, lightning, lightning, softmax});
  EXPECT_EQ(odd.count, 1);
  EXPECT_EQ(odd.runs.size(), 3u);
  // Depth is data: twice the layers, the same program but for counts.
  ModelConfig config = readConfig(kInputs + "text01-full/config.json").operator*();
  std::string once = text(*buildModel(context, config));
  std::vector<ModelConfig::Layer> layers = config.layers;
  config.layers.insert(config.layers.end(), layers.begin(), layers.end());
  std::string twice = text(*buildModel(context, config));
  EXPECT_THAT(twice, HasSubstr("[[20, [7, @lightning], @softmax]]"));
  EXPECT_EQ(std::count(once.begin(), once.end(), '\n'), std::count(twice.begin(), twice.end(), '\n'));
}

TEST_F(ImportTest, CheckpointMustBelongToTheConfiguration) {
  {
    Folder folder("text01-tiny");
    folder.edit("model.safetensors", "model.layers.3.self_attn.norm.weight", "model.layers.3.self_attn.nork.weight");
    EXPECT_THAT(folder.error(context),
                HasSubstr("the checkpoint has no tensor 'model.layers.3.self_attn.norm.weight'"));
  }
  {
    // C1: the vocabulary is smaller than the embedding.
    Folder folder("text01-tiny");
    folder.edit("config.json", "\"vocab_size\": 320", "\"vocab_size\": 300");
    EXPECT_THAT(folder.error(context),
                HasSubstr("tensor 'model.embed_tokens.weight' has shape [320, 64], expected [300, 64]"));
  }
  {
    Folder folder("text01-tiny");
    folder.edit("config.json", "\"num_local_experts\": 4", "\"num_local_experts\": 3");
    EXPECT_THAT(folder.error(context), HasSubstr("has shape [4, 64], expected [3, 64]"));
  }
  {
    // An intermediate size that the checkpoint does not have.
    Folder folder("text01-tiny");
    folder.edit("config.json", "\"intermediate_size\": 96", "\"intermediate_size\": 64");
    EXPECT_THAT(folder.error(context), HasSubstr(".w1.weight' has shape [96, 64], expected [64, 64]"));
  }
}

TEST_F(ImportTest, DecayBuffersAreComparedAndNotTrusted) {
  Folder folder("native-tiny");
  EXPECT_EQ(folder.error(context), "imported");
  // Other layers in total: other rates.
  folder.edit("model.safetensors", "model.layers.1.self_attn.slope_rate", "model.layers.2.self_attn.slope_ratf");
  EXPECT_THAT(
      folder.error(context),
      HasSubstr("the checkpoint has tensor 'model.layers.2.self_attn.slope_ratf', which the model does not use"));
}

TEST_F(ImportTest, DecayBuffersOfAnotherFormulaAreRefused) {
  // The buffers of layers 1 and 2 change places.
  Folder folder("native-tiny");
  folder.edit("model.safetensors", "model.layers.1.self_attn.slope_rate", "model.layers.X.self_attn.slope_rate");
  folder.edit("model.safetensors", "model.layers.2.self_attn.slope_rate", "model.layers.1.self_attn.slope_rate");
  folder.edit("model.safetensors", "model.layers.X.self_attn.slope_rate", "model.layers.2.self_attn.slope_rate");
  EXPECT_THAT(folder.error(context), HasSubstr("self_attn.slope_rate' has"));
  EXPECT_THAT(folder.error(context), HasSubstr("from the configuration"));
}

TEST_F(ImportTest, StackedExpertsAreRefusedByName) {
  Folder folder("text01-tiny");
  folder.edit("model.safetensors", "model.layers.0.block_sparse_moe.experts.0.w1.weight",
              "model.layers.0.block_sparse_m.mlp.experts.down_proj");
  EXPECT_THAT(folder.error(context), HasSubstr("stacks all experts, which is not supported"));
}

TEST_F(ImportTest, StopTokensOfGenerationConfig) {
  // C5: a list, none, and one that is not in the vocabulary.
  Folder folder("text01-tiny");
  auto stops = [&](const std::string &text) {
    std::ofstream(folder.path / "generation_config.json") << text;
    auto config = readConfig(folder.path.string());
    return config.ok() ? testing::PrintToString(config->stopTokens) : config.status().text();
  };
  EXPECT_EQ(stops(R"({"eos_token_id": [7, 8]})"), "{ 7, 8 }");
  EXPECT_EQ(stops(R"({"eos_token_id": 9})"), "{ 9 }");
  EXPECT_EQ(stops("{}"), "{}");
  EXPECT_THAT(stops(R"({"eos_token_id": 320})"),
              HasSubstr("field 'eos_token_id' has id 320, expected one between 0 and 319"));
  EXPECT_THAT(stops("[]"), HasSubstr("expected an object"));
}

TEST_F(ImportTest, ElementTypesComeFromTheHeaders) {
  EXPECT_THAT(textOf(kInputs + "native-tiny"), HasSubstr("\"model.embed_tokens.weight\" : tensor<300x64xf32>"));
  std::string tiny = textOf(kInputs + "text01-tiny");
  EXPECT_THAT(tiny, HasSubstr("\"model.embed_tokens.weight\" : tensor<320x64xbf16>"));
  EXPECT_THAT(tiny, HasSubstr("block_sparse_moe.gate.weight\"[%layer] : tensor<4x64xf32>"));
}

TEST_F(ImportTest, PrenormTakesTheResidualBeforeTheNorm) {
  // With postnorm the residual is the normed value, without it the input.
  EXPECT_THAT(textOf(kInputs + "text01-tiny"), HasSubstr("model.residual %0, %9 scale"));
  EXPECT_THAT(textOf(kInputs + "text01-prenorm"), HasSubstr("model.residual %x, %9 scale"));
}

TEST_F(ImportTest, LightningNormEpsIsAParameter) {
  ImportOptions options;
  options.lightningNormEps = 0.5;
  EXPECT_THAT(textOf(kInputs + "text01-tiny", options), HasSubstr("eps 5.000000e-01"));
}

} // namespace

// Floors of the kernels of a small model in bfloat16: 512 channels, eight heads of 128 and one of keys, eight experts
// of which a token takes two. Every figure is worked by hand from the model's shapes.
#include "lib/Analysis/KernelFloor.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Import/Import.h"
#include "passes/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mmc;
using namespace mmc::analysis;

namespace {

constexpr const char *kConfig = R"({"model_type": "minimax_text_01", "hidden_act": "silu", "tie_word_embeddings": false,
  "vocab_size": 512, "hidden_size": 512, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 8,
  "num_key_value_heads": 1, "head_dim": 128, "num_local_experts": 8, "num_experts_per_tok": 2,
  "max_position_embeddings": 10240000, "rms_norm_eps": 1e-5, "rope_theta": 1e7, "torch_dtype": "bfloat16",
  "eos_token_id": null, "layernorm_full_attention_alpha": 1, "layernorm_full_attention_beta": 1,
  "layernorm_linear_attention_alpha": 1, "layernorm_linear_attention_beta": 1, "layernorm_mlp_alpha": 1,
  "layernorm_mlp_beta": 1, "rotary_dim": 64, "postnorm": true, "attn_type_list": [0, 1]})";

class KernelFloors : public testing::Test {
protected:
  static DialectRegistry registry() {
    DialectRegistry registry;
    model::registerModelDialect(registry);
    tile::registerTileDialect(registry);
    return registry;
  }

  void SetUp() override {
    context.loadAllAvailableDialects();
    char folder[] = "/tmp/mmc-floor-test-XXXXXX";
    ASSERT_TRUE(mkdtemp(folder));
    std::ofstream(std::string(folder) + "/config.json") << kConfig;
    auto imported = import::importModel(context, folder);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(imported.ok()) << imported.status().text();
    module = std::move(imported->module);
    PipelineOptions options;
    options.target = "cuda";
    options.dtype = "bfloat16";
    options.maxModelLen = 2048;
    options.segmentTokens = 1 << 20; // prompts in one piece
    PassManager manager(&context);
    buildModelToTilePipeline(manager, options);
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  KernelFloor floor(StringRef prefix) {
    KernelFloor result;
    size_t found = 0;
    module->walk([&](tile::KernelOp kernel) {
      if (!kernel.getSymName().starts_with(prefix)) return;
      std::string why;
      FailureOr<KernelFloor> floor = floorOf(kernel, &why);
      EXPECT_TRUE(succeeded(floor)) << why;
      if (succeeded(floor)) result = *floor;
      ++found;
    });
    EXPECT_EQ(found, 1u) << prefix.str();
    return result;
  }

  MLIRContext context{registry()};
  OwningOpRef<ModuleOp> module;
};

const ArgumentTraffic &argument(const KernelFloor &floor, const std::string &name) {
  static const ArgumentTraffic none;
  for (const ArgumentTraffic &argument : floor.arguments)
    if (argument.name == name) return argument;
  ADD_FAILURE() << "no argument " << name;
  return none;
}

} // namespace

TEST_F(KernelFloors, AProductReadsItsWeightsOnce) {
  const KernelFloor linear = floor("linear_silu_sigmoid_4096x512");
  EXPECT_EQ(linear.bytes(), (Amounts{{Unit::launch, 4096 * 512 * 2}, {Unit::token, 512 * 2 + 4096 * 2}}));
  EXPECT_EQ(linear.flops, (Amounts{{Unit::token, 2 * 4096 * 512}}));
  // 64 panels of 64 columns read each row of x; each block of 64 rows reads all weights.
  EXPECT_EQ(argument(linear, "x").reread, (Amounts{{Unit::token, 64 * 1024}}));
  EXPECT_EQ(argument(linear, "weight").reread, (Amounts{{Unit::token, 4096 * 1024 / 64}}));
  EXPECT_EQ(argument(linear, "y").rewritten, argument(linear, "y").written);

  const KernelFloor residual = floor("linear_residual_512x1024");
  EXPECT_EQ(residual.bytes(), (Amounts{{Unit::launch, 512 * 1024 * 2}, {Unit::token, 1024 * 2 + 512 * 2 + 512 * 4}}));
  const KernelFloor logits = floor("linear_512x512");
  EXPECT_EQ(logits.bytes(), (Amounts{{Unit::launch, 512 * 512 * 2}, {Unit::output, 512 * 2 + 512 * 4}}));
}

TEST_F(KernelFloors, LightningPrefillMoves1024BytesPerTokenAndHead) {
  const KernelFloor lightning = floor("lightning_prefill");
  EXPECT_EQ(lightning.bytes().at(Unit::token), 8 * 1024);
  EXPECT_EQ(lightning.bytes().at(Unit::launch), 8 * 4); // a rate per head
  EXPECT_EQ(argument(lightning, "state").read, (Amounts{{Unit::sequence, 8 * 128 * 128 * 4}}));
  EXPECT_EQ(argument(lightning, "state").written, argument(lightning, "state").read);
  // 4 C d + 4 d^2 with blocks of C = 64 tokens.
  EXPECT_EQ(lightning.flops, (Amounts{{Unit::token, 8 * 98304}}));
}

TEST_F(KernelFloors, LightningDecodeReadsAndWritesItsStateOnce) {
  const KernelFloor decode = floor("lightning_decode");
  // 128 KiB of state per head; q, k, v, o of 256 bytes; a record of 16.
  EXPECT_EQ(decode.bytes(), (Amounts{{Unit::launch, 32}, {Unit::sequence, 8 * (128 * 1024 + 4 * 256) + 16}}));
  EXPECT_EQ(decode.flops, (Amounts{{Unit::sequence, 8 * (2 * 128 + 2 * 128 + 2 * 128 * 128 + 2 * 128 * 128)}}));
}

TEST_F(KernelFloors, AttentionReadsEachCachedPositionOnce) {
  // A part of a sequence's positions leaves a maximum, a sum and 128 values per head, all float32, to be combined.
  const KernelFloor decode = floor("attention_decode");
  EXPECT_EQ(
      decode.bytes(),
      (Amounts{{Unit::position, 2 * 128 * 2}, {Unit::sequence, 8 * 128 * 2 + 16}, {Unit::part, 8 * (128 + 2) * 4}}));
  EXPECT_EQ(decode.flops, (Amounts{{Unit::position, 4 * 8 * 128}}));
  const KernelFloor combine = floor("attention_combine");
  EXPECT_EQ(combine.bytes(), (Amounts{{Unit::sequence, 8 * 128 * 2 + 16}, {Unit::part, 8 * (128 + 2) * 4}}));
  const KernelFloor prefill = floor("attention_prefill");
  // Tiles of 16 tokens: a record for 16 of them, and each tile reads the cache again.
  EXPECT_EQ(prefill.bytes(), (Amounts{{Unit::token, 2 * 8 * 128 * 2 + 1}, {Unit::position, 2 * 128 * 2}}));
  EXPECT_EQ(prefill.flops, (Amounts{{Unit::pair, 4 * 8 * 128}}));
  EXPECT_EQ(argument(prefill, "k_cache").reread, (Amounts{{Unit::pair, 128 * 2 / 16}}));
}

TEST_F(KernelFloors, RowsAndTables) {
  EXPECT_EQ(floor("rms_norm_mul_1024").bytesThroughL2(), (Amounts{{Unit::token, 4 * 2048}}));
  EXPECT_EQ(floor("rms_norm_mul_1024").bytes(), (Amounts{{Unit::launch, 2048}, {Unit::token, 3 * 2048}}));
  EXPECT_EQ(floor("select_rows").bytes(), (Amounts{{Unit::output, 4 + 1024 + 1024}}));
  EXPECT_EQ(floor("embedding_rms_norm").bytes(),
            (Amounts{{Unit::launch, 1024}, {Unit::token, 4 + 1024}, {Unit::row, 1024}}));
  // Queries are read and written, keys and values too; a position and a slot per row.
  EXPECT_EQ(floor("rope64_append").bytes(), (Amounts{{Unit::token, 2 * 2048 + 4 * 256 + 8}}));
}

TEST_F(KernelFloors, Experts) {
  const KernelFloor route = floor("rms_norm_route");
  EXPECT_EQ(route.bytes(), (Amounts{{Unit::launch, 1024 + 8 * 512 * 4}, {Unit::token, 2048 + 1024 + 2 * 4 + 2 * 4}}));
  EXPECT_EQ(route.flops, (Amounts{{Unit::token, 2 * 8 * 512}}));
  // The choices are read twice, but they are the same; each of nine points reads all of them.
  const KernelFloor permute = floor("permute");
  EXPECT_EQ(permute.bytes(), (Amounts{{Unit::launch, 9 * 4}, {Unit::token, 8}, {Unit::route, 4 + 4}}));
  EXPECT_EQ(argument(permute, "experts").reread, (Amounts{{Unit::token, 2 * 9 * 8}}));
  const KernelFloor up = floor("experts_swiglu");
  EXPECT_EQ(up.bytes(),
            (Amounts{{Unit::launch, 36 + 2 * 8 * 512 * 512 * 2}, {Unit::route, 4 + 1024}, {Unit::row, 1024}}));
  EXPECT_EQ(up.flops, (Amounts{{Unit::route, 2 * 2 * 512 * 512}}));
  const KernelFloor down = floor("experts_512x512");
  EXPECT_EQ(down.bytes(), (Amounts{{Unit::launch, 36 + 8 * 512 * 512 * 2}, {Unit::route, 2 * 1024}}));
  const KernelFloor combine = floor("combine_residual");
  EXPECT_EQ(combine.bytes(), (Amounts{{Unit::launch, 1024}, {Unit::token, 8 + 8 + 2 * 1024 + 1024 + 1024}}));
}

TEST_F(KernelFloors, Sums) {
  const Amounts amounts = {{Unit::launch, 100}, {Unit::token, 3}, {Unit::route, 5}};
  EXPECT_EQ(total(amounts, {{Unit::token, 7}}), 121);
  EXPECT_EQ(total(amounts, {{Unit::token, 7}, {Unit::route, 2}, {Unit::launch, 2}}), 231);
}

TEST_F(KernelFloors, TilesThatAreNotFullTakeTheirOperandsAllTheSame) {
  // With 32 rows the weights are read once, though a block of rows has 64; with 128 twice.
  const KernelFloor logits = floor("linear_512x512");
  const double weight = 512 * 512 * 2, row = 8 * 512 * 2 + 512 * 4;
  EXPECT_EQ(totalThroughL2(logits, {{Unit::output, 32}}), weight + 32 * row);
  EXPECT_EQ(totalThroughL2(logits, {{Unit::output, 128}}), 2 * weight + 128 * row);
}

TEST_F(KernelFloors, TheCommentNamesUnitsAndArguments) {
  EXPECT_EQ(floorComment(floor("rms_norm_mul_1024")),
            "// Floor per launch: 2048 bytes (gain 2048 read).\n"
            "// Floor per token: 6144 bytes (x 2048 read, x 2048 read, y 2048 written).\n"
            "// Through L2 per token: 8192 bytes (x 2048 read, gain 2048 read, x 2048 read, y 2048 written).\n");
}

TEST_F(KernelFloors, AnUnknownLoopIsSaidSo) {
  auto source = parseSourceString<ModuleOp>(R"(
    tile.kernel @odd(%x: !tile.view<?xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      scf.for %i = %c0 to %r step %c1 {
        tile.store %zero, %x[%i] along [] : f32, !tile.view<?xf32>
      }
      tile.return
    })",
                                            &context);
  ASSERT_TRUE(source);
  std::string why;
  EXPECT_TRUE(failed(floorOf(*source->getOps<tile::KernelOp>().begin(), &why)));
  EXPECT_EQ(why, "'tile.store' stands under a loop or an index whose count is not known");
}

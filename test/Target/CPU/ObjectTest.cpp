// The shared object: nothing to resolve at load, the same bytes for the same input, errors with a reason.
#include "dialects/Tile/IR/Tile.h"
#include "lib/Target/CPU/CompileCpu.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>

using namespace mmc;

namespace {

class CpuObject : public ::testing::Test {
protected:
  CpuObject() : context(registry()), handler(&context, [](mlir::Diagnostic &) {}) {}

  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry result;
    tile::registerTileDialect(result);
    return result;
  }

  std::optional<cpu::CpuObject> compile(const std::string &text, unsigned threads = 0) {
    bool file = text.ends_with(".mlir");
    auto module = file ? mlir::parseSourceFile<mlir::ModuleOp>(MMC_SOURCE_DIR "/test/Inputs/tile/" + text, &context)
                       : mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    return cpu::compileCpu(*module, {.threads = threads}, error);
  }

  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
  std::string error;
};

/// The dynamic section and symbol table of a shared object in memory. Addresses are file offsets of the segment that
/// holds them.
struct Dynamic {
  explicit Dynamic(const std::string &elf) : elf(elf), header(at<Elf64_Ehdr>(0)) {
    for (int i = 0; i < header.e_phnum; ++i) {
      auto segment = at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_LOAD) loads.push_back(segment);
      if (segment.p_type == PT_DYNAMIC)
        for (uint64_t o = 0; o < segment.p_filesz; o += sizeof(Elf64_Dyn))
          entries.push_back(at<Elf64_Dyn>(segment.p_offset + o));
    }
  }
  template <typename T> T at(uint64_t offset) const {
    T value;
    std::memcpy(&value, elf.data() + offset, sizeof(T));
    return value;
  }
  uint64_t fileOffset(uint64_t address) const {
    for (const Elf64_Phdr &load : loads)
      if (address >= load.p_vaddr && address < load.p_vaddr + load.p_filesz)
        return address - load.p_vaddr + load.p_offset;
    return 0;
  }
  std::optional<uint64_t> get(int64_t tag) const {
    for (const Elf64_Dyn &entry : entries)
      if (entry.d_tag == tag) return entry.d_un.d_val;
    return std::nullopt;
  }
  const std::string &elf;
  Elf64_Ehdr header;
  std::vector<Elf64_Phdr> loads;
  std::vector<Elf64_Dyn> entries;
};

} // namespace

TEST_F(CpuObject, NeedsNothingAtLoad) {
  // Kernels with exponentials, constants in memory, masked tails, casts to bf16.
  for (const char *file :
       {"linear_bf16.mlir", "experts_up.mlir", "rope_table.mlir", "route.mlir", "attention.mlir", "embedding.mlir"}) {
    SCOPED_TRACE(file);
    auto object = compile(file);
    ASSERT_TRUE(object) << error;
    Dynamic dynamic(object->elf);
    ASSERT_FALSE(dynamic.entries.empty());
    EXPECT_FALSE(dynamic.get(DT_NEEDED));
    EXPECT_FALSE(dynamic.get(DT_TEXTREL));
    // .dynsym has the kernels and nothing that is undefined; the null symbol is entry 0. Its length is where
    // .gnu.hash's neighbours begin, so section headers are used.
    size_t defined = 0;
    for (int i = 0; i < dynamic.header.e_shnum; ++i) {
      auto section = dynamic.at<Elf64_Shdr>(dynamic.header.e_shoff + i * sizeof(Elf64_Shdr));
      if (section.sh_type == SHT_DYNSYM)
        for (uint64_t o = sizeof(Elf64_Sym); o < section.sh_size; o += sizeof(Elf64_Sym)) {
          EXPECT_NE(dynamic.at<Elf64_Sym>(section.sh_offset + o).st_shndx, SHN_UNDEF);
          ++defined;
        }
      // No relocation names a symbol.
      if (section.sh_type == SHT_RELA)
        for (uint64_t o = 0; o < section.sh_size; o += sizeof(Elf64_Rela))
          EXPECT_EQ(ELF64_R_SYM(dynamic.at<Elf64_Rela>(section.sh_offset + o).r_info), 0u);
    }
    EXPECT_EQ(defined, object->kernels.size());
  }
}

TEST_F(CpuObject, SameInputSameBytes) {
  auto one = compile("experts_up.mlir", 1), two = compile("experts_up.mlir", 2);
  ASSERT_TRUE(one && two) << error;
  EXPECT_EQ(one->elf, two->elf);
}

TEST_F(CpuObject, ErrorsSayWhich) {
  EXPECT_FALSE(compile("module {}"));
  EXPECT_EQ(error, "the module has no tile.kernel, or no variant was asked for");
  EXPECT_FALSE(compile(R"(
tile.kernel @k(%x: !tile.view<?x8xf32> {tile.access = "write"}) domain(%i in #tile.extent<fixed, 2>, %r in #tile.extent<tokens>) { tile.return })"));
  EXPECT_NE(error.find("expected only work dimension 0 to have a run-time extent, dimension 1 has one"),
            std::string::npos)
      << error;
  EXPECT_FALSE(compile(R"(
tile.kernel @k(%w: !tile.view<64x8xf32, #tile.panels<n = 24, k = 1>> {tile.access = "read"}, %y: !tile.view<64x64xf32> {tile.access = "write"})
    domain(%i in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %W = tile.load %w[%c0, %c0] along [0, 1] : !tile.view<64x8xf32, #tile.panels<n = 24, k = 1>> -> tensor<64x8xf32>
  %Y = tile.dot %W, %W transpose_b : tensor<64x8xf32>, tensor<64x8xf32> -> tensor<64x64xf32>
  tile.store %Y, %y[%c0, %c0] along [0, 1] : tensor<64x64xf32>, !tile.view<64x64xf32>
  tile.return
})"));
  EXPECT_NE(error.find("cannot lower kernel 'k' for x86-64-v3: 'tile.load' op expected panels"), std::string::npos)
      << error;
}

TEST_F(CpuObject, NamesOfVariants) {
  for (cpu::Variant variant : cpu::allVariants()) EXPECT_EQ(cpu::parseVariant(cpu::variantName(variant)), variant);
  EXPECT_FALSE(cpu::parseVariant("avx1024"));
  EXPECT_EQ(cpu::kernelSymbol("k", cpu::Variant::avx512_bf16), "k__avx512_bf16");
}

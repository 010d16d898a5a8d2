// What libmmc_runtime needs and shows: read from its dynamic section. It must not pull in a compiler, nor collide with
// what a service links.
#include <elf.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <vector>

namespace {

class LibraryTest : public testing::Test {
protected:
  void SetUp() override {
    std::ifstream in(MMC_RUNTIME_LIBRARY, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
    ASSERT_GT(bytes.size(), sizeof(Elf64_Ehdr));
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(bytes.data());
    const auto *sections = reinterpret_cast<const Elf64_Shdr *>(bytes.data() + header->e_shoff);
    for (int i = 0; i < header->e_shnum; ++i) {
      const char *strings =
          bytes.data() + sections[sections[i].sh_link < header->e_shnum ? sections[i].sh_link : 0].sh_offset;
      if (sections[i].sh_type == SHT_DYNAMIC)
        for (const auto *entry = reinterpret_cast<const Elf64_Dyn *>(bytes.data() + sections[i].sh_offset);
             entry->d_tag != DT_NULL; ++entry)
          if (entry->d_tag == DT_NEEDED) needed.insert(strings + entry->d_un.d_val);
      if (sections[i].sh_type == SHT_DYNSYM)
        for (uint64_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); ++s) {
          const auto &symbol = reinterpret_cast<const Elf64_Sym *>(bytes.data() + sections[i].sh_offset)[s];
          (symbol.st_shndx == SHN_UNDEF ? undefined : defined).insert(strings + symbol.st_name);
        }
    }
  }
  std::vector<char> bytes;
  std::set<std::string> needed, defined, undefined;
};

TEST_F(LibraryTest, NeedsTheCAndCppLibrariesOnly) {
  const std::set<std::string> allowed = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1",
                                         "ld-linux-x86-64.so.2"};
  EXPECT_TRUE(needed.count("libc.so.6"));
  for (const std::string &name : needed) EXPECT_TRUE(allowed.count(name)) << name;
}

TEST_F(LibraryTest, ShowsTheCInterfaceOnly) {
  EXPECT_TRUE(defined.count("mmc_plan_load"));
  for (const std::string &name : defined) EXPECT_TRUE(name.starts_with("mmc_")) << name;
}

TEST_F(LibraryTest, UsesNoStandardStreams) {
  for (const char *name : {"printf", "puts", "perror", "stdout", "stderr", "_ZSt4cout", "_ZSt4cerr", "exit"})
    EXPECT_FALSE(undefined.count(name)) << name;
}

} // namespace

// Host objects: form checks on damaged and foreign ELF files (catalogue P10), names of mappings, variants, and the
// refusal of host code.
#include "runtime/src/RandomWeights.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fstream>

namespace mmc::test {

namespace {

const std::vector<std::string> kSymbols = {"embed__x86_64_v3", "head__avx512"};

Status check(const std::vector<uint8_t> &object, const std::vector<std::string> &symbols = kSymbols) {
  return bounded(object.size(), [&] { return checkHostObject(object, symbols); });
}

Elf64_Ehdr &header(std::vector<uint8_t> &object) { return *reinterpret_cast<Elf64_Ehdr *>(object.data()); }

/// The first program header of a type.
Elf64_Phdr &program(std::vector<uint8_t> &object, uint32_t type) {
  auto *headers = reinterpret_cast<Elf64_Phdr *>(object.data() + header(object).e_phoff);
  for (int i = 0; i < header(object).e_phnum; ++i)
    if (headers[i].p_type == type) return headers[i];
  ADD_FAILURE() << "no program header of type " << type;
  return headers[0];
}

/// The first entry of the dynamic section with a tag.
Elf64_Dyn &dynamic(std::vector<uint8_t> &object, int64_t tag) {
  auto *entry = reinterpret_cast<Elf64_Dyn *>(object.data() + program(object, PT_DYNAMIC).p_offset);
  while (entry->d_tag != tag && entry->d_tag != DT_NULL) ++entry;
  return *entry;
}

TEST(HostObjectTest, AGoodObjectIsAccepted) { EXPECT_TRUE(check(tinyObject()).ok()) << check(tinyObject()).text(); }

TEST(HostObjectTest, P10NotAnObjectForThisMachine) {
  expectFailure(check({}), StatusCode::integrity, {"not an ELF"});
  expectFailure(check(std::vector<uint8_t>(1000, 'x')), StatusCode::integrity, {"not an ELF"});
  std::vector<uint8_t> object = tinyObject();
  header(object).e_machine = EM_AARCH64;
  expectFailure(check(object), StatusCode::integrity, {"another architecture"});
  object = tinyObject();
  header(object).e_type = ET_EXEC;
  expectFailure(check(object), StatusCode::integrity, {"type 2"});
}

TEST(HostObjectTest, P10TruncatedAnywhere) {
  const std::vector<uint8_t> object = tinyObject();
  uint64_t loaded = 0; // section headers behind the loaded part are not needed
  std::vector<uint8_t> copy = object;
  auto *headers = reinterpret_cast<Elf64_Phdr *>(copy.data() + header(copy).e_phoff);
  for (int i = 0; i < header(copy).e_phnum; ++i) loaded = std::max(loaded, headers[i].p_offset + headers[i].p_filesz);
  for (uint64_t size = 0; size < loaded; size += 61)
    expectFailure(check({object.begin(), object.begin() + ptrdiff_t(size)}), StatusCode::integrity, {"host object"});
}

TEST(HostObjectTest, P10MissingSymbol) {
  expectFailure(check(tinyObject(), {"embed__x86_64_v3", "nothing"}), StatusCode::integrity, {"'nothing' is missing"});
}

TEST(HostObjectTest, WhatKernelsDoNotNeedIsRefused) {
  for (int64_t tag : {int64_t(DT_NEEDED), int64_t(DT_INIT), int64_t(DT_FINI_ARRAY), int64_t(DT_INIT_ARRAY),
                      int64_t(DT_TEXTREL), int64_t(DT_RUNPATH)}) {
    std::vector<uint8_t> object = tinyObject();
    dynamic(object, DT_SYMENT).d_tag = tag;
    expectFailure(check(object), StatusCode::integrity, {});
  }
  std::vector<uint8_t> object = tinyObject();
  program(object, PT_GNU_STACK).p_flags |= PF_X;
  expectFailure(check(object), StatusCode::integrity, {"executable stack"});
  object = tinyObject();
  program(object, PT_LOAD).p_flags |= PF_W | PF_X;
  expectFailure(check(object), StatusCode::integrity, {"writable and executable"});
  object = tinyObject();
  program(object, PT_GNU_STACK).p_type = PT_TLS;
  expectFailure(check(object), StatusCode::integrity, {"thread-local"});
}

/// The dynamic symbol of a name; the first segment is loaded where it lies in the file.
Elf64_Sym &symbol(std::vector<uint8_t> &object, const std::string &name) {
  auto *symbols = reinterpret_cast<Elf64_Sym *>(object.data() + dynamic(object, DT_SYMTAB).d_un.d_ptr);
  const auto *strings = reinterpret_cast<const char *>(object.data() + dynamic(object, DT_STRTAB).d_un.d_ptr);
  for (int i = 1; i < 64; ++i)
    if (strings + symbols[i].st_name == name) return symbols[i];
  ADD_FAILURE() << "no symbol " << name;
  return symbols[0];
}

TEST(HostObjectTest, SymbolsThatKernelsDoNotNeedAreRefused) {
  std::vector<uint8_t> object = tinyObject();
  symbol(object, "append__x86_64_v3").st_shndx = SHN_UNDEF;
  expectFailure(check(object), StatusCode::integrity, {"undefined symbol 'append__x86_64_v3'"});
  for (auto [type, bind] : {std::pair(STT_GNU_IFUNC, STB_GLOBAL), {STT_TLS, STB_GLOBAL}, {STT_FUNC, STB_GNU_UNIQUE}}) {
    object = tinyObject();
    symbol(object, "append__x86_64_v3").st_info = ELF64_ST_INFO(bind, type);
    expectFailure(check(object), StatusCode::integrity, {"'append__x86_64_v3' of a kind"});
  }
  object = tinyObject();
  symbol(object, "embed__x86_64_v3").st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  expectFailure(check(object), StatusCode::integrity, {"'embed__x86_64_v3' is missing"});
  object = tinyObject();
  symbol(object, "embed__x86_64_v3").st_value = 8;
  expectFailure(check(object), StatusCode::integrity, {"'embed__x86_64_v3' is missing"});
}

TEST(HostObjectTest, RandomDamageNeverCrashes) {
  const std::vector<uint8_t> good = tinyObject();
  uint64_t random = 7;
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> object = good;
    for (int i = 0; i < 3; ++i) {
      random = mixBits(random + 0x9e3779b97f4a7c15u);
      object[random % 4096 % object.size()] = uint8_t(random >> 50); // headers, symbols and strings lie at the start
    }
    (void)checkHostObject(object, kSymbols);
  }
}

TEST(HostObjectTest, TwoMappingsAreTwoLibraries) {
  Expected<HostObject> first = HostObject::map(tinyObject()), second = HostObject::map(tinyObject());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->find("embed__x86_64_v3"), nullptr);
  EXPECT_NE(first->find("embed__x86_64_v3"), second->find("embed__x86_64_v3"));
  EXPECT_EQ(first->find("nothing"), nullptr);
}

TEST(HostObjectTest, AMappingAfterAnotherWasClosedIsTheNewOne) {
  // The first object stays loaded through a handle of its own, while its descriptor's number is used again: under the
  // same path glibc would return it instead of the second.
  std::vector<uint8_t> changed = tinyObject();
  const std::string from = "embed__x86_64_v3", to = "embed__x86_64_w3";
  auto at = std::search(changed.begin(), changed.end(), from.begin(), from.end());
  ASSERT_NE(at, changed.end());
  std::copy(to.begin(), to.end(), at); // the hash table still has the old name, so only the string is compared
  void *pinned = nullptr;
  {
    Expected<HostObject> first = HostObject::map(tinyObject());
    ASSERT_TRUE(first.ok());
    Dl_info info;
    ASSERT_NE(dladdr(reinterpret_cast<void *>(first->find("embed__x86_64_v3")), &info), 0);
    pinned = dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(pinned, nullptr);
  }
  Expected<HostObject> second = HostObject::map(changed);
  ASSERT_TRUE(second.ok()) << second.status().text();
  EXPECT_EQ(second->find("embed__x86_64_v3"), nullptr) << "this is the first library";
  EXPECT_NE(reinterpret_cast<void *>(second->find("recur__x86_64_v3")), dlsym(pinned, "recur__x86_64_v3"));
  dlclose(pinned);
}

TEST(HostObjectTest, APlanOpenTwiceAndReopenedRuns) {
  const std::vector<int32_t> tokens = tokensOf(1, 6);
  auto first = tinyModel(1), second = tinyModel(2);
  EXPECT_NE(first->plan->functions[0], second->plan->functions[0]);
  for (int round = 0; round < 3; ++round) {
    auto a = tinySession(first), b = tinySession(second);
    EXPECT_EQ(runStep(*a, *a->createSequence(), tokens), reference(1, tokens));
    EXPECT_EQ(runStep(*b, *b->createSequence(), tokens), reference(2, tokens));
    a.reset();
    first.reset();
    first = tinyModel(1);
  }
}

TEST(HostObjectTest, HostCodeCanBeRefused) {
  const Status status =
      loadPlan(std::move(*PlanImage::copy(tinyPlan())), {.cpuVariant = "", .noHostCode = true}).status();
  expectFailure(status, StatusCode::incompatible, {"host code"});
}

TEST(HostObjectTest, VerifyingMapsNothing) {
  auto mappings = [] {
    std::ifstream in("/proc/self/maps");
    const std::string text(std::istreambuf_iterator<char>(in), {});
    return text.find("mmc-kernels") != std::string::npos;
  };
  const PlanImage image = std::move(*PlanImage::copy(tinyPlan()));
  EXPECT_TRUE(verifyPlan(image).ok());
  EXPECT_FALSE(mappings());
  auto plan = loadTiny();
  EXPECT_TRUE(mappings());
}

TEST(VariantTest, TheWidestThatRunsOrTheOneAskedFor) {
  const std::vector<std::string> all = {"x86-64-v3", "avx512", "avx512-bf16"};
  ASSERT_TRUE(hostExecutes("x86-64-v3")) << "the tests need a machine of this century's second decade";
  std::string widest;
  for (const char *name : knownVariants())
    if (hostExecutes(name)) widest = name;
  EXPECT_EQ(all[*chooseVariant(all, "")], widest);
  EXPECT_EQ(*chooseVariant(all, "x86-64-v3"), 0u);
  for (const std::string &name : all)
    if (!hostExecutes(name))
      expectFailure(chooseVariant(all, name).status(), StatusCode::incompatible, {"does not execute", name});
  expectFailure(chooseVariant(all, "neon").status(), StatusCode::incompatible,
                {"no cpu variant 'neon'", "avx512-bf16"});
  const std::vector<std::string> foreign = {"amx"};
  expectFailure(chooseVariant(foreign, "").status(), StatusCode::incompatible, {"none", "amx"});
  EXPECT_FALSE(hostExecutes("amx"));
}

} // namespace

} // namespace mmc::test

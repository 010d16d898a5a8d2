// Checks the form of a host object: a whole ELF64 x86-64 shared object that depends on nothing and runs nothing when it
// is mapped.
//
// Everything is read through bounds-checked copies; program headers translate addresses to file offsets. Section
// headers are not used: the dynamic loader does not look at them either.
#include "runtime/src/ElfReader.h"
#include "runtime/src/Errors.h"
#include "runtime/src/HostObject.h"
#include "runtime/src/PlanTables.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace mmc::runtime {

namespace {

Status bad(const std::string &what) { return Status(kHostObjectForm, "host object: " + what); }

class ElfChecker : private ElfReader {
public:
  using ElfReader::ElfReader;

  Status run(std::span<const std::string> required, std::span<const std::string> expectedRecords) {
    MMC_RETURN_IF_ERROR(header());
    MMC_RETURN_IF_ERROR(programHeaders());
    MMC_RETURN_IF_ERROR(dynamicSection());
    MMC_RETURN_IF_ERROR(relocations());
    MMC_RETURN_IF_ERROR(symbols(required));
    for (size_t i = 0; i < expectedRecords.size(); ++i) MMC_RETURN_IF_ERROR(record(required[i], expectedRecords[i]));
    return {};
  }

private:
  Status header() {
    if (!read(0, elf) || std::memcmp(elf.e_ident, ELFMAG, SELFMAG)) return bad("is not an ELF file");
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB || elf.e_machine != EM_X86_64)
      return bad("is for another architecture, expected x86-64");
    if (elf.e_type != ET_DYN) return bad("has type " + std::to_string(elf.e_type) + ", expected a shared object");
    if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum == 0 || elf.e_phnum > 64)
      return bad("has " + std::to_string(elf.e_phnum) + " program headers of " + std::to_string(elf.e_phentsize) +
                 " bytes, expected 1 to 64 of 56");
    return {};
  }

  Status programHeaders() {
    uint64_t top = 0;
    for (uint64_t i = 0; i < elf.e_phnum; ++i) {
      Elf64_Phdr program;
      if (!read(elf.e_phoff + i * sizeof program, program)) return bad("is truncated in its program headers");
      if (program.p_offset > bytes.size() || program.p_filesz > bytes.size() - program.p_offset)
        return bad("is truncated: program header " + std::to_string(i) + " reaches past the end");
      if (program.p_type == PT_INTERP || program.p_type == PT_TLS)
        return bad("has an interpreter or thread-local storage");
      if (program.p_type == PT_GNU_STACK && (program.p_flags & PF_X)) return bad("asks for an executable stack");
      if (program.p_type == PT_DYNAMIC) dynamic = program;
      if (program.p_type != PT_LOAD) continue;
      if ((program.p_flags & PF_W) && (program.p_flags & PF_X)) return bad("has a writable and executable segment");
      if (program.p_filesz > program.p_memsz || program.p_memsz > kMaxImage || program.p_vaddr > kMaxImage ||
          program.p_vaddr < top)
        return bad("has a segment of impossible size or order");
      if (program.p_align > 1 &&
          ((program.p_align & (program.p_align - 1)) || (program.p_vaddr - program.p_offset) % program.p_align))
        return bad("has a misaligned segment");
      top = program.p_vaddr + program.p_memsz;
      loads.push_back(program);
    }
    if (loads.empty() || dynamic.p_type != PT_DYNAMIC) return bad("has no loaded segment or no dynamic section");
    return {};
  }

  Status dynamicSection() {
    // The loader reads it in memory, so the place that it is loaded from must be the one that is checked.
    const std::optional<uint64_t> offset = fileOffset(dynamic.p_vaddr, dynamic.p_filesz);
    if (!offset || *offset != dynamic.p_offset) return bad("has its dynamic section outside the loaded segments");
    for (uint64_t i = 0;; ++i) {
      Elf64_Dyn entry;
      if ((i + 1) * sizeof entry > dynamic.p_filesz || !read(*offset + i * sizeof entry, entry))
        return bad("has a dynamic section without an end");
      if (entry.d_tag == DT_NULL) return {};
      const uint64_t value = entry.d_un.d_val;
      switch (entry.d_tag) {
      case DT_NEEDED:
        return bad("depends on other libraries");
      case DT_INIT:
      case DT_FINI:
      case DT_INIT_ARRAY:
      case DT_FINI_ARRAY:
      case DT_PREINIT_ARRAY:
        return bad("has initialisers or finalisers");
      case DT_TEXTREL:
      case DT_RPATH:
      case DT_RUNPATH:
      case DT_AUDIT:
      case DT_DEPAUDIT:
      case DT_FILTER:
      case DT_AUXILIARY:
      case DT_REL:
      case DT_RELR_TAG:
      case DT_VERNEED:
        return bad("has dynamic entry " + std::to_string(entry.d_tag) + ", which kernels do not need");
      case DT_SYMTAB:
        symbolTable = value;
        break;
      case DT_STRTAB:
        stringTable = value;
        break;
      case DT_STRSZ:
        stringBytes = value;
        break;
      case DT_SYMENT:
        if (value != sizeof(Elf64_Sym)) return bad("has symbols of another size");
        break;
      case DT_HASH:
        hash = value;
        break;
      case DT_GNU_HASH:
        gnuHash = value;
        break;
      case DT_RELA:
        rela = value;
        break;
      case DT_RELASZ:
        relaBytes = value;
        break;
      case DT_RELAENT:
        if (value != sizeof(Elf64_Rela)) return bad("has relocations of another size");
        break;
      case DT_JMPREL:
        jumpRela = value;
        break;
      case DT_PLTRELSZ:
        jumpRelaBytes = value;
        break;
      case DT_PLTREL:
        if (value != DT_RELA) return bad("has relocations of another kind");
        break;
      default:
        break;
      }
    }
  }

  Status relocations() {
    for (auto [address, size] : {std::pair(rela, relaBytes), std::pair(jumpRela, jumpRelaBytes)}) {
      if (!size) continue;
      const std::optional<uint64_t> offset = fileOffset(address, size);
      if (!offset || size % sizeof(Elf64_Rela)) return bad("has relocations outside the loaded segments");
      for (uint64_t i = 0; i < size / sizeof(Elf64_Rela); ++i) {
        Elf64_Rela entry;
        if (!read(*offset + i * sizeof entry, entry)) return bad("is truncated in its relocations");
        const uint32_t type = ELF64_R_TYPE(entry.r_info);
        if (type != R_X86_64_RELATIVE && type != R_X86_64_64 && type != R_X86_64_GLOB_DAT && type != R_X86_64_JUMP_SLOT)
          return bad("has a relocation of type " + std::to_string(type));
        const bool inside = std::any_of(loads.begin(), loads.end(), [&](const Elf64_Phdr &load) {
          return (load.p_flags & PF_W) && entry.r_offset >= load.p_vaddr && load.p_memsz >= 8 &&
                 entry.r_offset - load.p_vaddr <= load.p_memsz - 8;
        });
        if (!inside) return bad("has a relocation outside its writable segments");
        largestSymbol = std::max<uint64_t>(largestSymbol, ELF64_R_SYM(entry.r_info));
      }
    }
    return {};
  }

  Status symbols(std::span<const std::string> required) {
    const std::optional<uint64_t> count = symbolCount(hash, gnuHash);
    const std::optional<uint64_t> strings = fileOffset(stringTable, stringBytes);
    if (!count || !strings || !stringBytes || bytes[*strings + stringBytes - 1] != 0)
      return bad("has no readable symbol table");
    const std::optional<uint64_t> table = fileOffset(symbolTable, *count * sizeof(Elf64_Sym));
    if (!table || *count > bytes.size() || largestSymbol >= std::max<uint64_t>(*count, 1))
      return bad("has its symbol table outside the loaded segments");
    std::set<std::string_view> functions;
    for (uint64_t i = 1; i < *count; ++i) {
      Elf64_Sym symbol;
      if (!read(*table + i * sizeof symbol, symbol) || symbol.st_name >= stringBytes)
        return bad("is truncated in its symbols");
      const std::string_view name(reinterpret_cast<const char *>(bytes.data() + *strings + symbol.st_name));
      if (symbol.st_shndx == SHN_UNDEF) return bad("has undefined symbol '" + std::string(name.substr(0, 120)) + "'");
      if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC || ELF64_ST_TYPE(symbol.st_info) == STT_TLS ||
          ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE)
        return bad("has symbol '" + std::string(name.substr(0, 120)) + "' of a kind that kernels do not need");
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && executable(symbol.st_value)) functions.insert(name);
      if (name.ends_with(kRecordSuffix)) MMC_RETURN_IF_ERROR(keepRecord(name, symbol));
    }
    for (const std::string &name : required)
      if (!functions.count(name))
        return Status(kHostObjectSymbol, "host object: kernel symbol '" + name.substr(0, 120) + "' is missing");
    return {};
  }

  /// Records lie in segments that nothing writes to, relocations included: so what the file has is what was compiled.
  Status keepRecord(std::string_view name, const Elf64_Sym &symbol) {
    const std::optional<uint64_t> offset = fileOffset(symbol.st_value, symbol.st_size);
    const bool constant = std::any_of(loads.begin(), loads.end(), [&](const Elf64_Phdr &load) {
      return !(load.p_flags & PF_W) && symbol.st_value >= load.p_vaddr &&
             symbol.st_value - load.p_vaddr < load.p_filesz;
    });
    if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || !offset || !constant ||
        !records.emplace(name, std::string_view(reinterpret_cast<const char *>(bytes.data() + *offset), symbol.st_size))
             .second)
      return bad("has a record '" + std::string(name.substr(0, 120)) + "' that is no constant, or is there twice");
    return {};
  }

  Status record(const std::string &symbol, std::string_view expected) const {
    const auto at = records.find(symbol + kRecordSuffix);
    const std::string_view found = at == records.end() ? std::string_view() : at->second;
    if (found == expected) return {};
    if (found.empty() || expected.empty())
      return Status(kHostObjectRecord, "host object: the code of '" + symbol.substr(0, 240) + "' has " +
                                           (found.empty() ? "no record" : "a record") + ", expected " +
                                           (found.empty() ? "one: the plan describes the kernel"
                                                          : "none: the plan does not describe the kernel"));
    // The first line that differs says it.
    const size_t same =
        size_t(std::mismatch(found.begin(), found.end(), expected.begin(), expected.end()).first - found.begin());
    auto line = [&](std::string_view text) {
      const size_t begin = same ? text.rfind('\n', same - 1) + 1 : 0;
      return std::string(text.substr(begin, text.find('\n', begin) - begin).substr(0, 240));
    };
    return Status(kHostObjectRecord, "host object: the plan describes '" + symbol.substr(0, 240) + "' by '" +
                                         line(expected) + "', expected '" + line(found) + "' as its code was compiled");
  }

  bool executable(uint64_t address) const {
    return std::any_of(loads.begin(), loads.end(), [&](const Elf64_Phdr &load) {
      return (load.p_flags & PF_X) && address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz;
    });
  }

  static constexpr uint64_t kMaxImage = uint64_t(1) << 32;
  static constexpr int64_t DT_RELR_TAG = 36;
  std::map<std::string_view, std::string_view, std::less<>> records; // of the object, by symbol
  Elf64_Phdr dynamic{};
  uint64_t symbolTable = 0, stringTable = 0, stringBytes = 0, hash = 0, gnuHash = 0, largestSymbol = 0;
  uint64_t rela = 0, relaBytes = 0, jumpRela = 0, jumpRelaBytes = 0;
};

} // namespace

Status checkHostObject(std::span<const uint8_t> bytes, std::span<const std::string> symbols,
                       std::span<const std::string> records) {
  return ElfChecker(bytes).run(symbols, records);
}

} // namespace mmc::runtime

// Checks the form of device images. What is read of a cubin is its header, its section headers and its symbols; what is
// read of an image of the emulation is what the dynamic loader would read.
//
// NOTE: a cubin's header has the number of the architecture but not whether it is specific ("sm_90a"). Where that
// matters, on a device of the same major and another minor number, the driver refuses to load it.
#include "runtime/src/DeviceImage.h"

#include "runtime/src/ElfReader.h"
#include "runtime/src/Errors.h"

#include <charconv>
#include <unordered_set>

namespace mmc::runtime {

std::optional<CudaArchitecture> parseArchitecture(const std::string &name) {
  if (!name.starts_with("sm_")) return std::nullopt;
  const char *begin = name.data() + 3, *end = name.data() + name.size();
  const bool specific = begin != end && end[-1] == 'a';
  uint32_t number = 0;
  const auto [parsed, error] = std::from_chars(begin, end - specific, number);
  if (error != std::errc() || parsed != end - specific || *begin == '0' || number < 10 || number > 999)
    return std::nullopt;
  return CudaArchitecture{number / 10, number % 10, specific};
}

namespace {

using Names = std::unordered_set<std::string_view>;

/// What both kinds of image share.
struct ImageReader : ElfReader {
  ImageReader(const std::string &who, std::span<const uint8_t> bytes) : ElfReader(bytes), who(who) {}

  Status bad(const std::string &what) const { return Status(kDeviceImageForm, who + ": " + what); }

  Status header(const char *what) {
    if (!read(0, elf) || std::memcmp(elf.e_ident, ELFMAG, SELFMAG))
      return bad(std::string("is not an ELF file, expected ") + what);
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB)
      return bad(std::string("is not a 64-bit little-endian ELF file, expected ") + what);
    return {};
  }

  /// The text at an offset of a table that ends with a zero.
  std::string_view text(uint64_t table, uint64_t size, uint64_t at) const {
    return at < size ? std::string_view(reinterpret_cast<const char *>(bytes.data() + table + at)) : std::string_view();
  }

  const std::string &who;
};

class Cubin : private ImageReader {
public:
  using ImageReader::ImageReader;

  Status run(const CudaArchitecture &architecture, Names &functions) {
    MMC_RETURN_IF_ERROR(header("a cubin"));
    if (elf.e_machine != kMachine)
      return bad("is an ELF file for machine " + std::to_string(elf.e_machine) + ", expected a cubin");
    const uint32_t number = architectureNumber();
    if (number != architecture.number())
      return bad("is a cubin for " + (number ? "sm_" + std::to_string(number) : "an unknown architecture") +
                 ", expected sm_" + std::to_string(architecture.number()));
    if (elf.e_shentsize != sizeof(Elf64_Shdr)) return bad("has section headers of another size");
    for (uint32_t i = 0; i < elf.e_shnum; ++i) {
      Elf64_Shdr section;
      if (!sectionAt(i, section)) return bad("is truncated in its section headers");
      if (section.sh_type != SHT_NOBITS &&
          (section.sh_offset > bytes.size() || section.sh_size > bytes.size() - section.sh_offset))
        return bad("is truncated: section " + std::to_string(i) + " reaches past the end");
      if (section.sh_type != SHT_SYMTAB) continue;
      if (std::exchange(hasSymbols, true)) return bad("has two symbol tables");
      MMC_RETURN_IF_ERROR(symbols(section, functions));
    }
    return {};
  }

private:
  static constexpr uint16_t kMachine = 190; // EM_CUDA
  bool hasSymbols = false;

  /// Where the flags have it depends on the ABI, which the identification names; 0: an ABI that is not known.
  uint32_t architectureNumber() const {
    constexpr uint8_t kOlder = 0x33, kNewer = 0x41;
    if (elf.e_ident[EI_OSABI] == kNewer) return elf.e_flags >> 8 & 0xff;
    return elf.e_ident[EI_OSABI] == kOlder ? elf.e_flags & 0xff : 0;
  }

  bool sectionAt(uint32_t index, Elf64_Shdr &section) const {
    return elf.e_shoff <= bytes.size() && read(elf.e_shoff + uint64_t(index) * sizeof section, section);
  }

  Status symbols(const Elf64_Shdr &table, Names &functions) const {
    Elf64_Shdr strings;
    if (table.sh_link >= elf.e_shnum || !sectionAt(table.sh_link, strings) || strings.sh_type != SHT_STRTAB ||
        strings.sh_offset > bytes.size() || strings.sh_size > bytes.size() - strings.sh_offset || !strings.sh_size ||
        bytes[strings.sh_offset + strings.sh_size - 1] != 0)
      return bad("has no readable symbol table");
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      if (!read(table.sh_offset + at, symbol)) return bad("is truncated in its symbols");
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL &&
          symbol.st_shndx != SHN_UNDEF)
        functions.insert(text(strings.sh_offset, strings.sh_size, symbol.st_name));
    }
    return {};
  }
};

class EmulationImage : private ImageReader {
public:
  using ImageReader::ImageReader;

  Status run(Names &records) {
    MMC_RETURN_IF_ERROR(header("a shared object of the emulation"));
    if (elf.e_machine != EM_X86_64 || elf.e_type != ET_DYN)
      return bad("is an ELF file for machine " + std::to_string(elf.e_machine) + " of type " +
                 std::to_string(elf.e_type) + ", expected a shared object of the emulation, for x86-64");
    MMC_RETURN_IF_ERROR(programHeaders());
    MMC_RETURN_IF_ERROR(dynamicSection());
    const std::optional<uint64_t> strings = fileOffset(stringTable, stringBytes);
    if (!strings || !stringBytes || bytes[*strings + stringBytes - 1] != 0) return bad("has no readable symbol table");
    if (std::none_of(needed.begin(), needed.end(),
                     [&](uint64_t at) { return text(*strings, stringBytes, at) == kLibrary; }))
      return bad(std::string("does not need ") + kLibrary + ", so it was not made for the emulation");
    return symbols(*strings, records);
  }

private:
  static constexpr const char *kLibrary = "libmmc_cuda_emu.so";

  Status programHeaders() {
    if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phoff > bytes.size())
      return bad("has program headers of another size");
    for (uint64_t i = 0; i < elf.e_phnum; ++i) {
      Elf64_Phdr program;
      if (!read(elf.e_phoff + i * sizeof program, program)) return bad("is truncated in its program headers");
      if (program.p_offset > bytes.size() || program.p_filesz > bytes.size() - program.p_offset)
        return bad("is truncated: program header " + std::to_string(i) + " reaches past the end");
      if (program.p_type == PT_DYNAMIC) dynamic = program;
      if (program.p_type == PT_LOAD) loads.push_back(program);
    }
    if (loads.empty() || dynamic.p_type != PT_DYNAMIC) return bad("has no loaded segment or no dynamic section");
    return {};
  }

  Status dynamicSection() {
    for (uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      if (at + sizeof entry > dynamic.p_filesz || !read(dynamic.p_offset + at, entry))
        return bad("has a dynamic section without an end");
      if (entry.d_tag == DT_NULL) return {};
      if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
      if (entry.d_tag == DT_SYMTAB) symbolTable = entry.d_un.d_val;
      if (entry.d_tag == DT_STRTAB) stringTable = entry.d_un.d_val;
      if (entry.d_tag == DT_STRSZ) stringBytes = entry.d_un.d_val;
      if (entry.d_tag == DT_HASH) hash = entry.d_un.d_val;
      if (entry.d_tag == DT_GNU_HASH) gnuHash = entry.d_un.d_val;
    }
  }

  Status symbols(uint64_t strings, Names &records) const {
    const std::optional<uint64_t> count = symbolCount(hash, gnuHash);
    if (!count || *count > bytes.size()) return bad("has no readable symbol table");
    const std::optional<uint64_t> table = fileOffset(symbolTable, *count * sizeof(Elf64_Sym));
    if (!table) return bad("has its symbol table outside the loaded segments");
    for (uint64_t i = 1; i < *count; ++i) {
      Elf64_Sym symbol;
      if (!read(*table + i * sizeof symbol, symbol)) return bad("is truncated in its symbols");
      if (ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_shndx != SHN_UNDEF)
        records.insert(text(strings, stringBytes, symbol.st_name));
    }
    return {};
  }

  Elf64_Phdr dynamic{};
  std::vector<uint64_t> needed; // places in the string table
  uint64_t symbolTable = 0, stringTable = 0, stringBytes = 0, hash = 0, gnuHash = 0;
};

} // namespace

Status checkDeviceImage(const std::string &who, const CudaArchitecture *architecture, std::span<const uint8_t> bytes,
                        std::span<const std::string> symbols) {
  Names found;
  MMC_RETURN_IF_ERROR(architecture ? Cubin(who, bytes).run(*architecture, found)
                                   : EmulationImage(who, bytes).run(found));
  for (const std::string &symbol : symbols)
    if (!found.count(architecture ? symbol : "mmcEmuKernel_" + symbol))
      return Status(kDeviceImageSymbol, who + ": kernel symbol '" + symbol.substr(0, 240) + "' is missing");
  return {};
}

Status checkDeviceImages(const PlanTables &plan, std::span<const uint8_t> segment) {
  std::vector<std::vector<std::string>> symbols(plan.deviceImages.size());
  for (const Kernel &kernel : plan.kernels)
    for (size_t variant = 0; variant < kernel.functions.size(); ++variant)
      symbols[kernel.functions[variant].image].push_back(kernel.symbols[variant]);
  for (size_t i = 0; i < plan.deviceImages.size(); ++i) {
    const DeviceImage &image = plan.deviceImages[i];
    const std::string &variant = plan.variants[image.variant];
    const std::optional<CudaArchitecture> architecture = parseArchitecture(variant);
    MMC_RETURN_IF_ERROR(checkDeviceImage("device image " + std::to_string(i) + " (" + variant + ")",
                                         plan.target == kTargetCuda ? &*architecture : nullptr,
                                         segment.subspan(image.offset, image.bytes), symbols[i]));
  }
  return {};
}

} // namespace mmc::runtime

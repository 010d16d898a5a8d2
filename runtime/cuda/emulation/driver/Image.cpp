// Implements the loading of images: told apart by their first bytes, written to a memory file, opened by the loader.
#include "runtime/cuda/emulation/driver/Image.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mmc::emu::driver {

using cuda::Result;

namespace {

constexpr const char *kLibrary = "libmmc_cuda_emu.so";
constexpr uint16_t kCudaMachine = 190; // EM_CUDA
constexpr uint32_t kFatBinary = 0xba55ed50, kWrappedFatBinary = 0x466243b1;

LoadedImage refuse(Result result, std::string why) { return {nullptr, result, std::move(why)}; }

/// Where the file ends: after the last of what its headers name.
uint64_t sizeOf(const uint8_t *image, const Elf64_Ehdr &header) {
  uint64_t end = header.e_shoff + uint64_t(header.e_shnum) * header.e_shentsize;
  end = std::max(end, header.e_phoff + uint64_t(header.e_phnum) * header.e_phentsize);
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, image + header.e_phoff + uint64_t(i) * sizeof part, sizeof part);
    end = std::max(end, part.p_offset + part.p_filesz);
  }
  return end;
}

/// The file's offset of a loaded address; 0 if it lies in no part.
uint64_t offsetOf(const uint8_t *image, const Elf64_Ehdr &header, uint64_t address) {
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, image + header.e_phoff + uint64_t(i) * sizeof part, sizeof part);
    if (part.p_type == PT_LOAD && address - part.p_vaddr < part.p_filesz) return address - part.p_vaddr + part.p_offset;
  }
  return 0;
}

/// True if its dynamic section needs our library.
bool needsUs(const uint8_t *image, const Elf64_Ehdr &header) {
  Elf64_Phdr dynamic = {};
  for (uint32_t i = 0; i < header.e_phnum && dynamic.p_type != PT_DYNAMIC; ++i)
    std::memcpy(&dynamic, image + header.e_phoff + uint64_t(i) * sizeof dynamic, sizeof dynamic);
  if (dynamic.p_type != PT_DYNAMIC) return false;
  auto eachEntry = [&](auto visit) {
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      std::memcpy(&entry, image + dynamic.p_offset + at, sizeof entry);
      if (entry.d_tag == DT_NULL) break;
      visit(entry);
    }
  };
  uint64_t strings = 0, bytes = 0;
  eachEntry([&](const Elf64_Dyn &entry) {
    if (entry.d_tag == DT_STRTAB) strings = offsetOf(image, header, entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) bytes = entry.d_un.d_val;
  });
  bool found = false;
  eachEntry([&](const Elf64_Dyn &entry) {
    const uint64_t at = entry.d_un.d_val, length = std::strlen(kLibrary) + 1;
    if (entry.d_tag == DT_NEEDED && strings && at <= bytes && length <= bytes - at)
      found |= !std::memcmp(image + strings + at, kLibrary, length);
  });
  return found;
}

/// What the bytes are, if they are no image of ours.
LoadedImage examine(const uint8_t *image, Elf64_Ehdr &header) {
  uint32_t magic;
  std::memcpy(&magic, image, sizeof magic);
  if (magic == kFatBinary || magic == kWrappedFatBinary)
    return refuse(Result::noBinaryForGpu, "the image is a fat binary for GPUs; expected one made for the emulation");
  if (std::memcmp(image, ELFMAG, SELFMAG) != 0)
    return refuse(Result::invalidImage, "the image is no ELF file; expected a shared object made for the emulation");
  std::memcpy(&header, image, sizeof header);
  if (header.e_machine == kCudaMachine)
    return refuse(Result::noBinaryForGpu, "the image is a cubin; expected a shared object made for the emulation");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
    return refuse(Result::noBinaryForGpu, "the image is for another machine; expected x86-64");
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr))
    return refuse(Result::invalidImage, "the image is no shared object");
  if (!needsUs(image, header))
    return refuse(Result::noBinaryForGpu, std::string("the image is a shared object that does not need ") + kLibrary +
                                              ", so it was not made for the emulation");
  return {};
}

/// A name that no call has returned before, because the loader compares names: a count in components that say nothing.
std::string uniqueName(int descriptor) {
  static std::atomic<uint64_t> counter = 0;
  std::string path = "/proc/self/fd/";
  for (uint64_t count = ++counter; count; count /= 2) path += count % 2 ? "./" : "/";
  return path + std::to_string(descriptor);
}

bool fill(int descriptor, const uint8_t *bytes, uint64_t count) {
  while (count) {
    const ssize_t written = write(descriptor, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    count -= uint64_t(written);
  }
  return true;
}

} // namespace

ModuleImage::~ModuleImage() {
  if (library) dlclose(library);
  if (descriptor >= 0) close(descriptor);
}

const MmcEmuKernel *ModuleImage::kernel(const std::string &name) const {
  return static_cast<const MmcEmuKernel *>(dlsym(library, ("mmcEmuKernel_" + name).c_str()));
}

LoadedImage loadImage(const void *bytes) {
  const auto *image = static_cast<const uint8_t *>(bytes);
  Elf64_Ehdr header;
  if (LoadedImage refused = examine(image, header); refused.result != Result::success) return refused;
  auto loaded = std::make_shared<ModuleImage>();
#ifdef MFD_EXEC
  loaded->descriptor = memfd_create("mmc-emulated-module", MFD_CLOEXEC | MFD_EXEC);
#endif
  if (loaded->descriptor < 0) loaded->descriptor = memfd_create("mmc-emulated-module", MFD_CLOEXEC);
  if (loaded->descriptor < 0 || !fill(loaded->descriptor, image, sizeOf(image, header)))
    return refuse(Result::operatingSystem, std::string("cannot make a memory file: ") + std::strerror(errno));
  loaded->library = dlopen(uniqueName(loaded->descriptor).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded->library) {
    const char *reason = dlerror();
    std::string why = reason ? reason : "cannot be opened";
    const bool symbol = why.find("undefined symbol") != std::string::npos;
    return refuse(symbol ? Result::sharedObjectSymbolNotFound : Result::invalidImage, std::move(why));
  }
  return {std::move(loaded), Result::success, {}};
}

} // namespace mmc::emu::driver

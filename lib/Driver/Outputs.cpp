// Opens outputs and compares them with inputs; see Outputs.h.
#include "lib/Driver/Outputs.h"

#include "lib/Driver/Console.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace mmc::driver {

namespace {

namespace fs = std::filesystem;

/// Whether a file of this name in a model folder is part of the model.
bool isOfModel(const std::string &name) {
  for (const char *known : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                            "model.safetensors.index.json"})
    if (name == known) return true;
  return name.starts_with("model") && name.ends_with(".safetensors");
}

/// The input that is the regular file behind `info`; empty where there is none.
std::string inputOf(const struct stat &info, const std::vector<std::string> &inputs) {
  auto same = [&](const std::string &path) {
    struct stat other;
    return stat(path.c_str(), &other) == 0 && other.st_dev == info.st_dev && other.st_ino == info.st_ino;
  };
  for (const std::string &input : inputs) {
    std::error_code error;
    if (!input.empty() && same(input)) return input;
    if (input.empty() || !fs::is_directory(input, error)) continue;
    for (fs::directory_iterator entry(input, error), end; !error && entry != end; entry.increment(error))
      if (isOfModel(entry->path().filename()) && same(entry->path())) return entry->path();
  }
  return {};
}

} // namespace

Expected<runtime::OutputFile> openOutput(const char *flag, const std::string &path, OutputForm form,
                                         const std::vector<std::string> &inputs) {
  struct stat info;
  if (path != "-" && stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode))
    if (const std::string input = inputOf(info, inputs); !input.empty())
      return Status(kUsage, cat(flag, ": ", path, " is an input of this command too (", input, ")"),
                    "give the output another name");
  auto file = path == "-" ? runtime::OutputFile::standardOutput() : runtime::OutputFile::create(path);
  MMC_RETURN_IF_ERROR(file.status());
  if (form == OutputForm::binary && file->isTerminal())
    return Status(kUsage, cat(flag, ": found a terminal, and what would be written is binary"),
                  path == "-" ? cat("redirect it (", flag, " - > FILE), or give the name of a file")
                              : "give the name of a file");
  return file;
}

Status checkOutputFolder(const char *flag, const std::string &path) {
  if (path == "-")
    return Status(kUsage, cat(flag, ": found '-', and several files need a folder"), "give the name of a folder");
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  while (!fs::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  if (!fs::is_directory(at, error))
    return Status(kCannotWriteFolder, cat("cannot write into ", path, ": ", at.string(), " is not a folder"));
  if (access(at.c_str(), W_OK | X_OK) != 0)
    return Status(kCannotWriteFolder, cat("cannot write into ", path), {}, runtime::describeErrno(errno));
  return {};
}

Status writeWhole(runtime::OutputFile &file, std::span<const uint8_t> bytes) {
  MMC_RETURN_IF_ERROR(file.write(bytes));
  return file.commit();
}

Status writeWhole(runtime::OutputFile &file, const std::string &text) {
  return writeWhole(file, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

} // namespace mmc::driver

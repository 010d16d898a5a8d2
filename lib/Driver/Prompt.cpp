// Reads prompts; see Prompt.h.
#include "lib/Driver/Prompt.h"

#include "lib/Driver/Console.h"
#include "lib/Text/ChatTemplate.h"
#include "runtime/src/FileIO.h"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace mmc::driver {

namespace {

constexpr uint64_t kMaxTextBytes = uint64_t(1) << 30;

Expected<std::string> readStandardInput() {
  std::string content;
  char block[65536];
  while (size_t count = fread(block, 1, sizeof block, stdin)) {
    content.append(block, count);
    if (content.size() > kMaxTextBytes)
      return Status(kUsage, "standard input has more than 1 GiB", "give a shorter text");
  }
  if (ferror(stdin)) return Status(kCannotReadInput, "cannot read standard input");
  return content;
}

/// The template of the model's architecture.
Expected<text::ChatTemplate> chatTemplate(const std::string &modelFolder) {
  if (modelFolder.empty())
    return Status(kUsage, "--chat needs the model's config.json, and there is no model folder",
                  "give --tokenizer with the model's folder, or a prompt without --chat");
  auto config = readTextFile(modelFolder + "/config.json");
  MMC_RETURN_IF_ERROR(config.status());
  const nlohmann::json parsed = nlohmann::json::parse(*config, nullptr, false);
  const auto found = parsed.is_object() ? parsed.find("architectures") : parsed.end();
  if (!parsed.is_object() || found == parsed.end() || !found->is_array() || found->empty() ||
      !found->front().is_string())
    return Status(kUsage, cat(modelFolder, "/config.json: architectures is missing, expected a list with one name"));
  auto chosen = text::ChatTemplate::forArchitecture(found->front().get<std::string>());
  MMC_RETURN_IF_TEXT_ERROR(chosen);
  return *chosen;
}

} // namespace

Expected<std::string> readTextFile(const std::string &path) {
  if (path == "-") return readStandardInput();
  auto file = runtime::InputFile::open(path);
  MMC_RETURN_IF_ERROR(file.status());
  if (file->size() > kMaxTextBytes)
    return Status(kUsage, cat(path, ": has ", file->size(), " bytes, at most ", kMaxTextBytes));
  std::string content(file->size(), '\0');
  MMC_RETURN_IF_ERROR(file->readAt(0, {reinterpret_cast<uint8_t *>(content.data()), content.size()}));
  return content;
}

Expected<std::vector<int32_t>> parseTokenIds(const std::string &text) {
  std::string content = text;
  if (text.starts_with("@")) {
    auto read = readTextFile(text.substr(1));
    MMC_RETURN_IF_ERROR(read.status());
    content = std::move(*read);
  }
  std::vector<int32_t> ids;
  const char *at = content.data(), *end = at + content.size();
  auto isSpace = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (at < end) {
    while (at < end && isSpace(*at)) ++at;
    if (at == end) break;
    const char *itemEnd = at;
    while (itemEnd < end && *itemEnd != ',' && !isSpace(*itemEnd)) ++itemEnd;
    int32_t id = 0;
    auto [parsed, error] = std::from_chars(at, itemEnd, id);
    if (error != std::errc() || parsed != itemEnd)
      return Status(kTokenIds, cat("token id ", ids.size(), ": found '", std::string(at, std::min(itemEnd, at + 40)),
                                   "', expected a 32-bit integer"));
    ids.push_back(id);
    at = itemEnd;
    while (at < end && isSpace(*at)) ++at;
    if (at < end && *at == ',') ++at;
  }
  return ids;
}

Expected<std::vector<int32_t>> promptTokens(const PromptFlags &flags, const text::Tokenizer *tokenizer,
                                            const std::string &modelFolder) {
  if (int(flags.prompt.has_value()) + int(flags.promptFile.has_value()) + int(flags.inputIds.has_value()) != 1)
    return Status(kUsage, "expected exactly one of --prompt, --prompt-file and --input-ids", "see `mmc run --help`");
  if (flags.chat && flags.inputIds)
    return Status(kUsage, "--chat wraps a text, and --input-ids gives ids", "give --prompt, or leave --chat out");
  std::vector<int32_t> ids;
  if (flags.inputIds) {
    auto parsed = parseTokenIds(*flags.inputIds);
    MMC_RETURN_IF_ERROR(parsed.status());
    ids = std::move(*parsed);
  } else {
    if (!tokenizer) return Status(kNoTokenizer, "a text prompt needs a tokenizer, and the model has no tokenizer.json");
    std::string prompt = flags.prompt.value_or("");
    if (flags.promptFile) {
      auto read = readTextFile(*flags.promptFile);
      MMC_RETURN_IF_ERROR(read.status());
      prompt = std::move(*read);
    }
    if (flags.chat) {
      auto chosen = chatTemplate(modelFolder);
      MMC_RETURN_IF_ERROR(chosen.status());
      const text::ChatMessage message{text::ChatRole::User, prompt};
      auto encoded = chosen->encode(*tokenizer, {&message, 1});
      MMC_RETURN_IF_TEXT_ERROR(encoded);
      ids = std::move(*encoded);
    } else {
      auto encoded = tokenizer->encode(prompt);
      MMC_RETURN_IF_TEXT_ERROR(encoded);
      ids = std::move(*encoded);
    }
  }
  if (ids.empty()) return Status(kUsage, "the prompt is empty, expected at least one token", "give a longer prompt");
  return ids;
}

} // namespace mmc::driver

// mmc tokenize: text to token ids and back.
#include "lib/Driver/Command.h"
#include "lib/Driver/Prompt.h"
#include "lib/Text/Tokenizer.h"

#include <nlohmann/json.hpp>

namespace mmc::driver {

namespace {

struct TokenizeFlags {
  std::string model, text, file, decode;
  bool hasText = false, hasFile = false, hasDecode = false, parseSpecial = false, addSpecial = false, json = false;
};

Status decodeIds(const TokenizeFlags &flags, const text::Tokenizer &tokenizer) {
  auto ids = parseTokenIds(flags.decode);
  MMC_RETURN_IF_ERROR(ids.status());
  auto decoded = tokenizer.decode(*ids);
  if (!decoded) { // the ids came from the command line
    text::Error error = decoded.error();
    if (error.code == text::ErrorCode::IdOutOfRange) error.kind = text::ErrorKind::Usage;
    return fromText(error);
  }
  if (!flags.json) return writeOutput(*decoded + "\n");
  return writeOutput(nlohmann::json{{"text", *decoded}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                     "\n");
}

/// Streams the ids, so that the memory of a long text stays near its size.
Status encodeText(const TokenizeFlags &flags, const text::Tokenizer &tokenizer) {
  std::string content = flags.text;
  if (flags.hasFile) {
    auto read = readTextFile(flags.file);
    MMC_RETURN_IF_ERROR(read.status());
    content = std::move(*read);
  }
  bool first = true;
  Status written;
  auto sink = [&](std::span<const int32_t> ids) -> text::Status {
    std::string chunk;
    for (int32_t id : ids) {
      if (!first) chunk += flags.json ? ", " : ",";
      first = false;
      chunk += std::to_string(id);
    }
    written = writeOutput(chunk);
    if (written.ok()) return {};
    return text::makeError(text::ErrorCode::FileUnreadable, text::ErrorKind::Failed, written.message());
  };
  if (flags.json) MMC_RETURN_IF_ERROR(writeOutput("{\"ids\": ["));
  const text::Status encoded =
      tokenizer.encodeTo(content, {.parseSpecial = flags.parseSpecial, .addSpecial = flags.addSpecial}, sink);
  MMC_RETURN_IF_ERROR(written);
  MMC_RETURN_IF_TEXT_ERROR(encoded);
  return writeOutput(flags.json ? "]}\n" : "\n");
}

Status tokenize(const TokenizeFlags &flags) {
  if (int(flags.hasText) + int(flags.hasFile) + int(flags.hasDecode) != 1)
    return Status(kUsage, "expected exactly one of --text, --file and --decode", "see `mmc tokenize --help`");
  auto tokenizer = text::Tokenizer::load(flags.model);
  MMC_RETURN_IF_TEXT_ERROR(tokenizer);
  return flags.hasDecode ? decodeIds(flags, *tokenizer) : encodeText(flags, *tokenizer);
}

} // namespace

void addTokenizeCommand(const CommandLine &line) {
  auto flags = std::make_shared<TokenizeFlags>();
  CLI::Option *text = nullptr, *file = nullptr, *decode = nullptr;
  auto options = std::make_shared<std::array<CLI::Option *, 3>>();
  CLI::App *command = line.add("tokenize", "text to token ids, or back", [flags, options] {
    flags->hasText = !(*options)[0]->empty();
    flags->hasFile = !(*options)[1]->empty();
    flags->hasDecode = !(*options)[2]->empty();
    return tokenize(*flags);
  });
  command->add_option("-m,--model,model", flags->model, "model folder or tokenizer.json")
      ->required()
      ->type_name("HF_DIR|tokenizer.json");
  text = command->add_option("--text", flags->text, "text to encode")->type_name("TEXT");
  file = command->add_option("--file", flags->file, "file with the text to encode; - for standard input")
             ->type_name("FILE");
  decode = command->add_option("--decode", flags->decode, "ids to decode: 1,2,3 or @FILE")->type_name("IDS");
  *options = {text, file, decode};
  addSwitch(command, "--parse-special", flags->parseSpecial, "take the text of special tokens as those tokens");
  addSwitch(command, "--add-special", flags->addSpecial, "add what the tokenizer's post-processor puts around a text");
  addSwitch(command, "--json", flags->json, "print {\"ids\": [...]} or {\"text\": \"...\"}");
}

} // namespace mmc::driver

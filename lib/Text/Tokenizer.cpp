//===- Tokenizer.cpp - text to token ids and back --------------------------===//
//
// The pipeline of HF tokenizers in its order: added tokens in the text as given, normaliser, added tokens in the
// normalised text, pre-tokenizer, BPE, post-processor. Text streams through it piece by piece; the only copies are one
// of text that is not UTF-8 and one of text that a normaliser changes.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Tokenizer.h"
#include "lib/Text/AddedTokens.h"
#include "lib/Text/Bpe.h"
#include "lib/Text/PreTokenizer.h"
#include "lib/Text/Unicode.h"

#include <sys/stat.h>

namespace mmc::text {

namespace {

using nlohmann::json;

constexpr size_t kLongestText = size_t(1) << 30;
constexpr size_t kMostNormalizers = 64;

/// True in `nfc` if the chain normalises; NFC is idempotent, so how often does not matter.
Status readNormalizer(const json &settings, const std::string &field, bool &nfc, bool nested = false) {
  if (settings.is_null()) return {};
  if (!settings.is_object()) return fieldError(field, "an object or null", describeJson(settings));
  std::string type = settings.value("type", json()).is_string() ? settings["type"].get<std::string>() : "";
  if (type == "NFC") {
    nfc = true;
    return {};
  }
  if (type != "Sequence" || nested)
    return unsupportedError(field + ".type", "'" + quoteForMessage(type) + "'", "null, NFC, Sequence of NFC");
  auto list = settings.find("normalizers");
  if (list == settings.end() || !list->is_array())
    return fieldError(field + ".normalizers", "an array", "something else");
  if (list->size() > kMostNormalizers)
    return makeError(ErrorCode::SettingUnsupported, ErrorKind::Capacity,
                     field + ".normalizers: " + std::to_string(list->size()) + " entries, at most " +
                         std::to_string(kMostNormalizers) + " are accepted");
  for (size_t index = 0; index < list->size(); ++index)
    if (Status status =
            readNormalizer((*list)[index], field + ".normalizers[" + std::to_string(index) + "]", nfc, true);
        !status)
      return status;
  return {};
}

Status readDecoder(const json &settings, const std::string &field, bool nested = false) {
  constexpr const char *kSupported = "ByteLevel, Sequence of one ByteLevel";
  if (!settings.is_object()) return unsupportedError(field, describeJson(settings), kSupported);
  std::string type = settings.value("type", json()).is_string() ? settings["type"].get<std::string>() : "";
  if (type == "ByteLevel") return {};
  if (type != "Sequence" || nested)
    return unsupportedError(field + ".type", "'" + quoteForMessage(type) + "'", kSupported);
  auto list = settings.find("decoders");
  if (list == settings.end() || !list->is_array()) return fieldError(field + ".decoders", "an array", "something else");
  if (list->size() != 1)
    return unsupportedError(field + ".decoders", std::to_string(list->size()) + " entries", kSupported);
  return readDecoder((*list)[0], field + ".decoders[0]", true);
}

/// What TemplateProcessing puts before and after a single text.
struct Template {
  std::vector<int32_t> before, after;
};

Status readTemplate(const json &settings, const std::string &field, size_t vocabulary, Template &out) {
  auto single = settings.find("single");
  auto special = settings.find("special_tokens");
  if (single == settings.end() || !single->is_array())
    return fieldError(field + ".single", "an array", "something else");
  bool seenText = false;
  for (const json &piece : *single) {
    if (piece.is_object() && piece.contains("Sequence")) {
      if (seenText)
        return unsupportedError(field + ".single", "a second text", "one text with special tokens around it");
      seenText = true;
      continue;
    }
    auto token = piece.is_object() ? piece.find("SpecialToken") : piece.end();
    if (!piece.is_object() || token == piece.end() || !token->is_object() || !token->value("id", json()).is_string())
      return fieldError(field + ".single", "SpecialToken and Sequence entries", "something else");
    std::string name = (*token)["id"].get<std::string>();
    const json *ids = nullptr;
    if (special != settings.end() && special->is_object() && special->contains(name) && (*special)[name].is_object() &&
        (*special)[name].contains("ids"))
      ids = &(*special)[name]["ids"];
    if (!ids || !ids->is_array())
      return fieldError(field + ".special_tokens['" + quoteForMessage(name) + "'].ids", "an array", "something else");
    for (const json &id : *ids) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= vocabulary)
        return fieldError(field + ".special_tokens['" + quoteForMessage(name) + "'].ids", "ids of the vocabulary",
                          "something else");
      (seenText ? out.after : out.before).push_back(id.get<int32_t>());
    }
  }
  return {};
}

Status readPostProcessor(const json &settings, const std::string &field, size_t vocabulary, Template &out,
                         bool nested = false) {
  constexpr const char *kSupported = "null, ByteLevel, TemplateProcessing, Sequence of these";
  if (settings.is_null()) return {};
  if (!settings.is_object()) return fieldError(field, "an object or null", describeJson(settings));
  std::string type = settings.value("type", json()).is_string() ? settings["type"].get<std::string>() : "";
  if (type == "ByteLevel") return {}; // it only trims offsets, which are not computed here
  if (type == "TemplateProcessing") {
    if (!out.before.empty() || !out.after.empty())
      return unsupportedError(field, "a second TemplateProcessing", kSupported);
    return readTemplate(settings, field, vocabulary, out);
  }
  if (type != "Sequence" || nested)
    return unsupportedError(field + ".type", "'" + quoteForMessage(type) + "'", kSupported);
  auto list = settings.find("processors");
  if (list == settings.end() || !list->is_array())
    return fieldError(field + ".processors", "an array", "something else");
  for (size_t index = 0; index < list->size(); ++index)
    if (Status status = readPostProcessor((*list)[index], field + ".processors[" + std::to_string(index) + "]",
                                          vocabulary, out, true);
        !status)
      return status;
  return {};
}

} // namespace

struct Tokenizer::Tables {
  Vocabulary vocabulary;
  AddedTokens added;
  PreTokenizer preTokenizer;
  Bpe bpe;
  Template surround;
  std::vector<bool> special;
  bool nfc = false;

  static Result<std::unique_ptr<const Tables>> build(TokenizerFile file);
};

Result<std::unique_ptr<const Tokenizer::Tables>> Tokenizer::Tables::build(TokenizerFile file) {
  auto tables = std::make_unique<Tables>();
  auto setting = [&](const char *name) { return file.settings.contains(name) ? file.settings[name] : json(); };
  // Settings first: they are cheap, and a file of another kind of tokenizer is best told by its settings.
  if (Status status = readNormalizer(setting("normalizer"), "normalizer", tables->nfc); !status) return status.error();
  Result<PreTokenizer> preTokenizer = PreTokenizer::build(setting("pre_tokenizer"));
  if (!preTokenizer) return preTokenizer.error();
  tables->preTokenizer = std::move(*preTokenizer);
  if (Status status = readDecoder(setting("decoder"), "decoder"); !status) return status.error();
  Result<Vocabulary> vocabulary = Vocabulary::build(file);
  if (!vocabulary) return vocabulary.error();
  tables->vocabulary = std::move(*vocabulary);
  tables->special.resize(tables->vocabulary.size());
  for (const AddedToken &token : file.addedTokens)
    if (token.special) tables->special[token.id] = true;
  if (Status status =
          readPostProcessor(setting("post_processor"), "post_processor", tables->vocabulary.size(), tables->surround);
      !status)
    return status.error();
  Result<Bpe> bpe = Bpe::build(file, tables->vocabulary, tables->special);
  if (!bpe) return bpe.error();
  tables->bpe = std::move(*bpe);
  bool nfc = tables->nfc;
  Result<AddedTokens> added = AddedTokens::build(
      file, [nfc](std::string_view text, std::string &storage) { return nfc ? normalizeNfc(text, storage) : text; });
  if (!added) return added.error();
  tables->added = std::move(*added);
  return std::unique_ptr<const Tables>(std::move(tables));
}

Tokenizer::Tokenizer(std::unique_ptr<const Tables> tables) : tables(std::move(tables)) {}
Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

namespace {

Error outOfMemory(const char *doing) {
  return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, std::string("out of memory while ") + doing);
}

} // namespace

Result<Tokenizer> Tokenizer::parse(std::string_view json) {
  try {
    Result<TokenizerFile> file = TokenizerFile::parse(json);
    if (!file) return file.error();
    auto tables = Tables::build(std::move(*file));
    if (!tables) return tables.error();
    return Tokenizer(std::move(*tables));
  } catch (const std::exception &) {
    return outOfMemory("loading the tokenizer");
  }
}

Result<Tokenizer> Tokenizer::load(const std::string &path) {
  try {
    struct stat info;
    bool folder = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    Result<std::string> content = readTextFile(folder ? path + "/tokenizer.json" : path);
    if (!content) return content.error();
    Result<TokenizerFile> file = TokenizerFile::parse(*content);
    // The text is not needed any more; the tables that are built now take its place in memory.
    *content = std::string();
    if (!file) return file.error();
    auto tables = Tables::build(std::move(*file));
    if (!tables) return tables.error();
    return Tokenizer(std::move(*tables));
  } catch (const std::exception &) {
    return outOfMemory("loading the tokenizer");
  }
}

Status Tokenizer::encodeTo(std::string_view text, const EncodeOptions &options, IdSink sink) const {
  constexpr size_t kChunk = 4096, kLongText = size_t(1) << 16;
  if (text.size() > kLongestText)
    return makeError(ErrorCode::TextTooLarge, ErrorKind::Capacity,
                     "text has " + std::to_string(text.size()) + " bytes, at most 1 GiB is encoded at once");
  try {
    std::string valid;
    if (!isValidUtf8(text)) {
      appendLossyUtf8(text, /*final=*/true, valid);
      text = valid;
    }
    std::vector<int32_t> ids;
    Bpe::Scratch scratch;
    if (text.size() > kLongText) scratch.remember();
    PreTokenizer::Run run(tables->preTokenizer, text.size());
    auto drain = [&](size_t keep) -> Status {
      if (ids.size() <= keep) return {};
      Status status = sink(ids);
      ids.clear();
      return status;
    };
    auto onToken = [&](int32_t id) -> Status {
      ids.push_back(id);
      return drain(kChunk);
    };
    auto onPreToken = [&](std::string_view preToken) -> Status {
      tables->bpe.encode(preToken, tables->vocabulary, scratch, ids);
      if (preToken.size() > kChunk) scratch.trim();
      return drain(kChunk);
    };
    auto onPlain = [&](std::string_view piece) { return run.cut(piece, onPreToken); };
    std::string normalized;
    auto onText = [&](std::string_view piece) -> Status {
      if (tables->nfc) piece = normalizeNfc(piece, normalized);
      return tables->added.split(piece, AddedTokens::Form::Normalized, options.parseSpecial, onToken, onPlain);
    };
    if (options.addSpecial) ids = tables->surround.before;
    Status status = tables->added.split(text, AddedTokens::Form::AsGiven, options.parseSpecial, onToken, onText);
    if (!status) return status;
    if (options.addSpecial) ids.insert(ids.end(), tables->surround.after.begin(), tables->surround.after.end());
    return drain(0);
  } catch (const std::exception &) {
    return outOfMemory("encoding text");
  }
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, const EncodeOptions &options) const {
  try {
    std::vector<int32_t> ids;
    Status status = encodeTo(text, options, [&](std::span<const int32_t> chunk) {
      ids.insert(ids.end(), chunk.begin(), chunk.end());
      return Status();
    });
    if (!status) return status.error();
    return ids;
  } catch (const std::exception &) {
    return outOfMemory("encoding text");
  }
}

Result<std::string> Tokenizer::decode(std::span<const int32_t> ids, const DecodeOptions &options) const {
  try {
    std::string bytes, text;
    for (int32_t id : ids) {
      if (!contains(id))
        return makeError(ErrorCode::IdOutOfRange, ErrorKind::Failed,
                         "token id " + std::to_string(id) + " is outside 0 to " + std::to_string(lastTokenId()));
      if (!(options.skipSpecial && isSpecial(id))) bytes += tokenBytes(id);
    }
    if (isValidUtf8(bytes)) return bytes;
    appendLossyUtf8(bytes, /*final=*/true, text);
    return text;
  } catch (const std::exception &) {
    return outOfMemory("decoding ids");
  }
}

int32_t Tokenizer::lastTokenId() const { return static_cast<int32_t>(tables->vocabulary.size()) - 1; }

std::string_view Tokenizer::tokenBytes(int32_t id) const {
  return contains(id) ? tables->vocabulary.bytes(id) : std::string_view();
}

bool Tokenizer::isSpecial(int32_t id) const { return contains(id) && tables->special[id]; }

std::optional<int32_t> Tokenizer::findToken(std::string_view spelling) const {
  for (const AddedToken &token : tables->added.all())
    if (token.content == spelling) return token.id;
  std::string scratch;
  return tables->vocabulary.findSpelling(spelling, scratch);
}

Status Tokenizer::checkFits(int64_t modelVocabSize) const {
  if (lastTokenId() < modelVocabSize) return {};
  return makeError(ErrorCode::VocabularyInvalid, ErrorKind::Incompatible,
                   "tokenizer.json: ids go up to " + std::to_string(lastTokenId()) + ", but the model has vocab_size " +
                       std::to_string(modelVocabSize),
                   "the tokenizer belongs to another model");
}

} // namespace mmc::text

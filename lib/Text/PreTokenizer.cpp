//===- PreTokenizer.cpp - the cutting of text into pre-tokens --------------===//
//
// Every step first tells matches from gaps and then groups them by its behaviour. Grouping looks one piece ahead at
// most.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/PreTokenizer.h"
#include "lib/Text/TokenizerFile.h"
#include "lib/Text/Unicode.h"

namespace mmc::text {

namespace {

using nlohmann::json;

constexpr size_t kMostSteps = 16;
constexpr const char *kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char *kSupported = "ByteLevel, or a Sequence of Split and Digits that ends in ByteLevel";

Result<bool> readFlag(const json &settings, const char *name, bool absent, const std::string &field) {
  auto found = settings.find(name);
  if (found == settings.end()) return absent;
  if (!found->is_boolean()) return fieldError(field + "." + name, "true or false", describeJson(*found));
  return found->get<bool>();
}

Status cutLiteral(std::string_view text, const std::string &literal, PieceFn emit) {
  size_t done = 0;
  while (!literal.empty()) {
    size_t found = text.find(literal, done);
    if (found == std::string_view::npos) break;
    if (found != done)
      if (Status status = emit(text.substr(done, found - done), false); !status) return status;
    if (Status status = emit(text.substr(found, literal.size()), true); !status) return status;
    done = found + literal.size();
  }
  return done < text.size() ? emit(text.substr(done), false) : Status();
}

Status cutDigits(std::string_view text, PieceFn emit) {
  size_t done = 0;
  for (size_t position = 0; position < text.size();) {
    Utf8Step step = decodeUtf8(text, position);
    size_t end = position + step.length;
    if (isNumeric(step.codePoint)) {
      if (done != position)
        if (Status status = emit(text.substr(done, position - done), false); !status) return status;
      if (Status status = emit(text.substr(position, step.length), true); !status) return status;
      done = end;
    }
    position = end;
  }
  return done < text.size() ? emit(text.substr(done), false) : Status();
}

std::string_view join(std::string_view left, std::string_view right) {
  return {left.data(), left.size() + right.size()};
}

} // namespace

Status PreTokenizer::addRegex(std::string_view pattern, const std::string &field, Step &step) {
  Result<Regex> regex = Regex::compile(pattern, field);
  if (!regex) return regex.error();
  step.regex = static_cast<int>(regexes.size());
  regexes.push_back(std::move(*regex));
  return {};
}

Status PreTokenizer::addSplit(const json &settings, const std::string &field) {
  Step step;
  auto pattern = settings.find("pattern");
  if (pattern == settings.end() || !pattern->is_object() || pattern->size() != 1)
    return fieldError(field + ".pattern", "{\"String\": ...} or {\"Regex\": ...}",
                      pattern == settings.end() ? "nothing" : describeJson(*pattern));
  const std::string &form = pattern->begin().key();
  const json &text = pattern->begin().value();
  if (form != "String" && form != "Regex")
    return unsupportedError(field + ".pattern", "'" + quoteForMessage(form) + "'", "String, Regex");
  if (!text.is_string()) return fieldError(field + ".pattern." + form, "a string", describeJson(text));
  step.kind = form == "String" ? Step::Literal : Step::Pattern;
  if (form == "String")
    step.literal = text.get<std::string>();
  else if (Status status = addRegex(text.get_ref<const std::string &>(), field + ".pattern.Regex", step); !status)
    return status;
  auto behavior = settings.find("behavior");
  if (behavior == settings.end() || !behavior->is_string())
    return fieldError(field + ".behavior", "a string", "something else");
  constexpr std::pair<const char *, Behavior> kBehaviors[] = {{"Removed", Behavior::Removed},
                                                              {"Isolated", Behavior::Isolated},
                                                              {"Contiguous", Behavior::Contiguous},
                                                              {"MergedWithPrevious", Behavior::MergedWithPrevious},
                                                              {"MergedWithNext", Behavior::MergedWithNext}};
  bool known = false;
  for (auto [name, value] : kBehaviors)
    if (*behavior == name) {
      step.behavior = value;
      known = true;
    }
  if (!known)
    return unsupportedError(field + ".behavior", "'" + quoteForMessage(behavior->get<std::string>()) + "'",
                            "Removed, Isolated, Contiguous, MergedWithPrevious, MergedWithNext");
  Result<bool> invert = readFlag(settings, "invert", false, field);
  if (!invert) return invert.error();
  step.invert = *invert;
  steps.push_back(std::move(step));
  return {};
}

Status PreTokenizer::addSequence(const json &settings, const std::string &field) {
  auto list = settings.find("pretokenizers");
  if (list == settings.end() || !list->is_array())
    return fieldError(field + ".pretokenizers", "an array", list == settings.end() ? "nothing" : describeJson(*list));
  if (list->size() > kMostSteps)
    return makeError(ErrorCode::SettingUnsupported, ErrorKind::Capacity,
                     field + ".pretokenizers: " + std::to_string(list->size()) + " entries, at most " +
                         std::to_string(kMostSteps) + " are accepted");
  for (size_t index = 0; index < list->size(); ++index)
    if (Status status = add((*list)[index], field + ".pretokenizers[" + std::to_string(index) + "]"); !status)
      return status;
  return {};
}

Status PreTokenizer::add(const json &settings, const std::string &field) {
  if (!settings.is_object()) return fieldError(field, "an object", describeJson(settings));
  auto type = settings.find("type");
  if (type == settings.end() || !type->is_string()) return fieldError(field + ".type", "a string", "something else");
  if (steps.size() >= kMostSteps)
    return unsupportedError(field, "a chain of more than " + std::to_string(kMostSteps) + " steps", kSupported);
  // After ByteLevel the text is spelled in the byte alphabet; cutting it further is not supported.
  if (!steps.empty() && steps.back().kind == Step::ByteLevel)
    return unsupportedError(field, "a step after ByteLevel", kSupported);
  if (*type == "Sequence") return addSequence(settings, field);
  if (*type == "Split") return addSplit(settings, field);
  Step step;
  if (*type == "Digits") {
    step.kind = Step::Digits;
    Result<bool> individual = readFlag(settings, "individual_digits", false, field);
    if (!individual) return individual.error();
    step.behavior = *individual ? Behavior::Isolated : Behavior::Contiguous;
  } else if (*type == "ByteLevel") {
    step.kind = Step::ByteLevel;
    Result<bool> prefix = readFlag(settings, "add_prefix_space", true, field);
    if (!prefix) return prefix.error();
    step.addPrefixSpace = *prefix;
    Result<bool> useRegex = readFlag(settings, "use_regex", true, field);
    if (!useRegex) return useRegex.error();
    if (*useRegex)
      if (Status status = addRegex(kGpt2Pattern, field, step); !status) return status;
  } else {
    return unsupportedError(field + ".type", "'" + quoteForMessage(type->get<std::string>()) + "'", kSupported);
  }
  steps.push_back(std::move(step));
  return {};
}

Result<PreTokenizer> PreTokenizer::build(const json &settings) {
  PreTokenizer preTokenizer;
  if (settings.is_null()) return unsupportedError("pre_tokenizer", "null", kSupported);
  if (Status status = preTokenizer.add(settings, "pre_tokenizer"); !status) return status.error();
  if (preTokenizer.steps.empty() || preTokenizer.steps.back().kind != Step::ByteLevel)
    return unsupportedError("pre_tokenizer", "a chain without ByteLevel at its end", kSupported);
  return preTokenizer;
}

Status PreTokenizer::group(Behavior behavior, bool invert, FunctionRef<Status(PieceFn)> produce, EmitFn emit) {
  std::string_view pending; // held back until it is known what joins it
  bool hasPending = false, pendingIsMatch = false;
  auto flush = [&]() -> Status {
    if (!hasPending || pending.empty()) return {};
    hasPending = false;
    return emit(pending);
  };
  auto take = [&](std::string_view piece, bool found) -> Status {
    bool isMatch = found != invert;
    if (behavior == Behavior::Removed) return isMatch || piece.empty() ? Status() : emit(piece);
    if (behavior == Behavior::Isolated) return piece.empty() ? Status() : emit(piece);
    bool joins = hasPending && ((behavior == Behavior::Contiguous && isMatch == pendingIsMatch) ||
                                (behavior == Behavior::MergedWithPrevious && isMatch && !pendingIsMatch) ||
                                (behavior == Behavior::MergedWithNext && !isMatch && pendingIsMatch));
    if (joins) {
      pending = join(pending, piece);
    } else {
      if (Status status = flush(); !status) return status;
      pending = piece;
      hasPending = true;
    }
    pendingIsMatch = isMatch;
    return {};
  };
  if (Status status = produce(take); !status) return status;
  return flush();
}

PreTokenizer::Run::Run(const PreTokenizer &owner, size_t textBytes) : owner(owner) {
  matchers.reserve(owner.regexes.size());
  for (const Regex &regex : owner.regexes) matchers.emplace_back(regex, textBytes);
}

Status PreTokenizer::Run::step(size_t index, std::string_view piece, EmitFn emit) {
  const Step &step = owner.steps[index];
  if (step.kind == Step::ByteLevel) {
    if (step.addPrefixSpace && !piece.starts_with(' ')) {
      prefixed.assign(1, ' ').append(piece);
      piece = prefixed;
    }
    if (step.regex < 0) return emit(piece);
    return matchers[step.regex].split(
        piece, [&](std::string_view preToken, bool) { return preToken.empty() ? Status() : emit(preToken); });
  }
  auto produce = [&](PieceFn take) -> Status {
    if (step.kind == Step::Digits) return cutDigits(piece, take);
    if (step.kind == Step::Literal) return cutLiteral(piece, step.literal, take);
    return matchers[step.regex].split(piece, take);
  };
  return PreTokenizer::group(step.behavior, step.invert, produce,
                             [&](std::string_view smaller) { return this->step(index + 1, smaller, emit); });
}

} // namespace mmc::text

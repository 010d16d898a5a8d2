//===- ChatTemplate.cpp - the family's turn format -------------------------===//
//
// One turn: <beginning_of_sentence> header newline content <end_of_sentence> newline. Header and content are one piece,
// because a tokenizer may join the newline with the content's first characters, and did so in training.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/ChatTemplate.h"

namespace mmc::text {

namespace {

constexpr const char *kDocumentStart = "<begin_of_document>";
constexpr const char *kTurnStart = "<beginning_of_sentence>";
constexpr const char *kTurnEnd = "<end_of_sentence>";
constexpr const char *kAssistantHeader = "ai name=assistant\n";

Error chatError(ErrorKind kind, std::string message, std::string hint = {}) {
  return makeError(ErrorCode::ChatInvalid, kind, std::move(message), std::move(hint));
}

} // namespace

Result<ChatRole> parseChatRole(std::string_view name) {
  constexpr std::pair<std::string_view, ChatRole> kRoles[] = {
      {"system", ChatRole::System},    {"user", ChatRole::User}, {"assistant", ChatRole::Assistant},
      {"ai", ChatRole::Assistant},     {"tool", ChatRole::Tool}, {"function", ChatRole::Tool},
      {"tools", ChatRole::ToolSetting}};
  for (auto [known, role] : kRoles)
    if (name == known) return role;
  return chatError(ErrorKind::Usage, "chat: unknown role '" + std::string(name.substr(0, 40)) + "'",
                   "roles are system, user, assistant, tool, tools");
}

Result<ChatTemplate> ChatTemplate::forArchitecture(std::string_view architecture) {
  if (architecture == "MiniMaxText01ForCausalLM" || architecture == "MiniMaxForCausalLM") return text01();
  if (architecture == "MiniMaxM1ForCausalLM") return m1();
  return chatError(ErrorKind::Incompatible,
                   "chat: no template for architecture '" + std::string(architecture.substr(0, 80)) + "'",
                   "templates exist for MiniMaxText01ForCausalLM, MiniMaxForCausalLM, MiniMaxM1ForCausalLM");
}

Result<std::string> ChatTemplate::header(ChatRole role) const {
  switch (role) {
  case ChatRole::System:
    return std::string("system ai_setting=assistant\n");
  case ChatRole::User:
    return std::string("user name=user\n");
  case ChatRole::Assistant:
    return std::string(kAssistantHeader);
  case ChatRole::Tool:
    return std::string(family == Family::M1 ? "tool name=tools\n" : "system function_response=functions\n");
  case ChatRole::ToolSetting:
    if (family == Family::M1) return std::string("system tool_setting=tools\n");
    return chatError(ErrorKind::Usage, "chat: this model's format has no turn for tool settings",
                     "describe the tools in a system message");
  }
  return chatError(ErrorKind::Usage, "chat: unknown role");
}

Result<std::vector<ChatPiece>> ChatTemplate::render(std::span<const ChatMessage> messages,
                                                    bool addGenerationPrompt) const {
  if (messages.empty()) return chatError(ErrorKind::Usage, "chat: expected at least one message, found none");
  std::vector<ChatPiece> pieces;
  if (family == Family::M1) pieces.push_back({kDocumentStart, true});
  for (const ChatMessage &message : messages) {
    Result<std::string> text = header(message.role);
    if (!text) return text.error();
    pieces.push_back({kTurnStart, true});
    pieces.push_back({*text + message.content, false});
    pieces.push_back({kTurnEnd, true});
    pieces.push_back({"\n", false});
  }
  if (addGenerationPrompt) {
    pieces.push_back({kTurnStart, true});
    pieces.push_back({kAssistantHeader, false});
  }
  return pieces;
}

Result<std::vector<int32_t>> ChatTemplate::encode(const Tokenizer &tokenizer, std::span<const ChatMessage> messages,
                                                  bool addGenerationPrompt) const {
  try {
    Result<std::vector<ChatPiece>> pieces = render(messages, addGenerationPrompt);
    if (!pieces) return pieces.error();
    std::vector<int32_t> ids;
    for (const ChatPiece &piece : *pieces) {
      if (piece.isSpecial) {
        std::optional<int32_t> id = tokenizer.findToken(piece.text);
        if (!id || !tokenizer.isSpecial(*id))
          return chatError(ErrorKind::Incompatible, "chat: the tokenizer has no special token '" + piece.text + "'",
                           "the tokenizer is not one of this model family; give the prompt as raw text");
        ids.push_back(*id);
        continue;
      }
      Result<std::vector<int32_t>> content = tokenizer.encode(piece.text);
      if (!content) return content.error();
      ids.insert(ids.end(), content->begin(), content->end());
    }
    return ids;
  } catch (const std::exception &) {
    return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, "out of memory while encoding a conversation");
  }
}

} // namespace mmc::text

//===- ChatTemplate.h - the family's turn format ---------------------------===//
//
// Turns of a conversation as the models were trained to see them (spec/minimax-01.md 1.5), written here once and
// vetted; a model folder's chat_template is a program from an untrusted file and is never executed, not even read. A
// rendered conversation is a list of pieces that say which text is a special token and which is content; content is
// encoded with special tokens off, so a user cannot write a turn.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_CHATTEMPLATE_H
#define MMC_TEXT_CHATTEMPLATE_H

#include "lib/Text/Tokenizer.h"

namespace mmc::text {

enum class ChatRole {
  System,      ///< how the assistant is to behave
  User,        ///< the person
  Assistant,   ///< the model
  Tool,        ///< the result of a tool call
  ToolSetting, ///< the tools that exist; M1 only
};

/// "system", "user", "assistant" or "ai", "tool" or "function", "tools".
Result<ChatRole> parseChatRole(std::string_view name);

struct ChatMessage {
  ChatRole role;
  std::string content; ///< any text; never parsed
};

struct ChatPiece {
  std::string text;
  bool isSpecial; ///< one special token, else content
};

class ChatTemplate {
public:
  /// MiniMax-Text-01 and its native form in transformers.
  static ChatTemplate text01() { return ChatTemplate(Family::Text01); }
  /// MiniMax-M1: a document start first, its own tool headers.
  static ChatTemplate m1() { return ChatTemplate(Family::M1); }
  /// By an entry of config.json's `architectures`; an architecture outside the family is an Error.
  static Result<ChatTemplate> forArchitecture(std::string_view architecture);

  /// The pieces of a conversation of at least one message; neighbours are never both content. With
  /// `addGenerationPrompt` the header of the assistant's next turn follows.
  Result<std::vector<ChatPiece>> render(std::span<const ChatMessage> messages, bool addGenerationPrompt = true) const;
  /// The ids of a conversation. The tokenizer must have the family's special tokens.
  Result<std::vector<int32_t>> encode(const Tokenizer &tokenizer, std::span<const ChatMessage> messages,
                                      bool addGenerationPrompt = true) const;

private:
  enum class Family { Text01, M1 };
  explicit ChatTemplate(Family family) : family(family) {}
  Result<std::string> header(ChatRole role) const;
  Family family;
};

} // namespace mmc::text

#endif

// What the commands share with the main program: registration, global flags, and helpers to declare flags.
//
// A command adds its subcommand with its flags and sets `selected` when it was given; it runs only after the whole line
// was parsed, so a usage error never leaves half an effect. Every flag --some-name has the environment twin
// MMC_SOME_NAME; the command line wins.
#pragma once

#include "lib/Driver/Console.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace mmc::driver {

struct CommandLine {
  CLI::App &app;
  ProgressMode &progress;
  std::function<Status()> &selected;

  /// Adds a subcommand that runs `action`, which owns what its flags write to.
  CLI::App *add(const char *name, const char *description, std::function<Status()> action) const;
};

/// A count with an optional suffix K (1024) or M (1,048,576), as in `4096`, `32K`, `1M`.
std::optional<uint64_t> parseCount(const std::string &text);

/// Declares `names` ("-n,--max-tokens") and its environment twin, for any value type that CLI11 knows.
template <typename T>
CLI::Option *addFlagValue(CLI::App *command, const std::string &names, T &value, const std::string &description);
CLI::Option *addSwitch(CLI::App *command, const std::string &names, bool &value, const std::string &description);
/// A count with suffix, at least `least` and at most `most`.
template <typename T>
CLI::Option *addCount(CLI::App *command, const std::string &names, T &value, const std::string &description,
                      uint64_t least = 0, uint64_t most = uint64_t(1) << 40);
/// MMC_MAX_TOKENS for "-n,--max-tokens"; the first long name decides.
std::string environmentName(const std::string &names);

void addImportCommand(const CommandLine &line);
void addCompileCommand(const CommandLine &line);
void addRunCommand(const CommandLine &line);
void addTokenizeCommand(const CommandLine &line);
void addInspectCommand(const CommandLine &line);
void addVerifyCommand(const CommandLine &line);
void addBenchCommand(const CommandLine &line);

/// What is wrong with `text` as a T; empty where nothing is.
template <typename T> std::string fitsNumber(const std::string &text) {
  T value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return "found '" + text + "', expected a whole number up to " + std::to_string(std::numeric_limits<T>::max());
}

template <typename T>
CLI::Option *addFlagValue(CLI::App *command, const std::string &names, T &value, const std::string &description) {
  CLI::Option *option = command->add_option(names, value, description);
  if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) option->check(fitsNumber<T>); // CLI11 would wrap
  // A repeated flag: the last wins; lists add up.
  if constexpr (!std::is_same_v<T, std::vector<std::string>>) option->take_last();
  if (std::string name = environmentName(names); !name.empty()) option->envname(name);
  return option;
}

template <typename T>
CLI::Option *addCount(CLI::App *command, const std::string &names, T &value, const std::string &description,
                      uint64_t least, uint64_t most) {
  std::function<void(const std::string &)> read = [names, &value, least, most](const std::string &text) {
    std::optional<uint64_t> count = parseCount(text);
    if (!count || *count < least || *count > most)
      throw CLI::ValidationError(names, "found '" + text + "', expected a count from " + std::to_string(least) +
                                            " to " + std::to_string(most) + ", suffix K or M allowed");
    value = T(*count);
  };
  CLI::Option *option =
      command->add_option_function<std::string>(names, read, description)->type_name("N")->take_last();
  if (std::string name = environmentName(names); !name.empty()) option->envname(name);
  return option;
}

} // namespace mmc::driver

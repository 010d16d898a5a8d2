// The main program: global flags, the commands, and how failures leave the process.
#include "lib/Driver/Driver.h"

#include "lib/Driver/Command.h"
#include "lib/Driver/Interrupt.h"
#include "mmc-c/Version.h"

#include <clocale>
#include <csignal>
#include <map>
#include <new>
#include <span>

namespace mmc::driver {

std::optional<uint64_t> parseCount(const std::string &text) {
  uint64_t value = 0;
  size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (value > (uint64_t(1) << 56)) return std::nullopt;
    value = value * 10 + uint64_t(text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  uint64_t factor = 1;
  if (at < text.size()) {
    if (text[at] == 'K' || text[at] == 'k')
      factor = 1024;
    else if (text[at] == 'M' || text[at] == 'm')
      factor = 1048576;
    else
      return std::nullopt;
    ++at;
  }
  if (at != text.size() || value > (uint64_t(1) << 62) / factor) return std::nullopt;
  return value * factor;
}

std::string environmentName(const std::string &names) {
  const size_t at = names.find("--");
  if (at == std::string::npos) return {};
  std::string name = "MMC_";
  for (size_t i = at + 2; i < names.size() && names[i] != ',' && names[i] != '{'; ++i)
    name += names[i] == '-' ? '_' : char(toupper(names[i]));
  return name;
}

CLI::Option *addSwitch(CLI::App *command, const std::string &names, bool &value, const std::string &description) {
  CLI::Option *option = command->add_flag(names, value, description);
  if (std::string name = environmentName(names); !name.empty()) option->envname(name);
  return option;
}

CLI::App *CommandLine::add(const char *name, const char *description, std::function<Status()> action) const {
  CLI::App *command = app.add_subcommand(name, description);
  command->callback([selected = &selected, action = std::move(action)] { *selected = action; });
  return command;
}

namespace {

std::string versionText() {
  uint32_t major = 0, minor = 0;
  mmc_plan_format_version(&major, &minor);
  return cat("mmc ", mmc_version_string(), "\nC ABI ", MMC_VERSION_MAJOR, ".", MMC_VERSION_MINOR, "\nplan format ",
             major, ".0 to ", major, ".x (writes ", major, ".", minor, ")");
}

/// The name of the subcommand on the line, for the hint of a usage error.
std::string givenCommand(const CLI::App &app) {
  for (const CLI::App *command : app.get_subcommands()) return command->get_name();
  return {};
}

/// Fails where the first word is no command, whatever comes after it; `anywhere`: where the first word past the flags
/// is none.
Status checkCommand(const CLI::App &app, std::span<const std::string> arguments, bool anywhere) {
  const auto word = std::find_if(arguments.begin(), arguments.end(), [](auto &text) { return !text.starts_with("-"); });
  if (word == arguments.end() || (word != arguments.begin() && !anywhere)) return {};
  if (!app.get_subcommands([&](const CLI::App *known) { return known->get_name() == *word; }).empty()) return {};
  return Status(kUsage, cat("unknown command '", *word, "'"),
                "commands are import, compile, run, tokenize, inspect, verify, bench, help");
}

Status usageError(const CLI::App &app, const CLI::ParseError &error, std::span<const std::string> arguments) {
  const std::string command = givenCommand(app);
  MMC_RETURN_IF_ERROR(checkCommand(app, arguments, command.empty()));
  return Status(kUsage, error.what(), cat("see `mmc ", command.empty() ? "" : command + " ", "--help`"));
}

/// The arguments, where `help` and `help COMMAND` stand for `--help` and `COMMAND --help`.
std::vector<std::string> readArguments(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.push_back("--help");
  }
  return arguments;
}

Status runSelected(const std::function<Status()> &selected) {
  try {
    return selected();
  } catch (const std::bad_alloc &) {
    return Status(kOutOfMemory, "out of memory");
  } catch (const std::exception &error) {
    return Status(kInternalFailure, cat("unexpected failure: ", error.what()));
  }
}

} // namespace

int runDriver(int argc, char **argv) {
  setlocale(LC_ALL, "C");
  signal(SIGPIPE, SIG_IGN); // a closed pipe is a failed write, reported like any other
  installInterruptHandler();

  CLI::App app("mmc compiles MiniMax-01-class language models ahead of time and runs them.", "mmc");
  app.require_subcommand(1);
  app.set_version_flag("--version", versionText());
  app.fallthrough();
  ProgressMode progress = ProgressMode::automatic;
  const std::map<std::string, ProgressMode> modes = {{"auto", ProgressMode::automatic},
                                                     {"plain", ProgressMode::plain},
                                                     {"json", ProgressMode::json},
                                                     {"none", ProgressMode::none}};
  app.add_option("--progress", progress, "how long work shows progress on standard error: auto, plain, json, none")
      ->transform(CLI::CheckedTransformer(modes))
      ->type_name("MODE")
      ->envname("MMC_PROGRESS");

  std::function<Status()> selected;
  const CommandLine line{app, progress, selected};
  addImportCommand(line);
  addCompileCommand(line);
  addRunCommand(line);
  addTokenizeCommand(line);
  addInspectCommand(line);
  addVerifyCommand(line);
  addBenchCommand(line);

  const std::vector<std::string> arguments = readArguments(argc, argv);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend())); // CLI11 takes them from the end
  } catch (const CLI::Success &success) {
    const Status known = checkCommand(app, arguments, false);
    if (known.ok()) return app.exit(success); // --help and --version, on standard output
    reportError(known);
    return int(known.code());
  } catch (const CLI::ParseError &error) {
    reportError(usageError(app, error, arguments));
    return int(StatusCode::usage);
  }
  const Status status = runSelected(selected);
  if (status.ok()) return 0;
  reportError(status);
  return int(status.code());
}

} // namespace mmc::driver

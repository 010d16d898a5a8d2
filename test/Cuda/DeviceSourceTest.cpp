// Rules of the device library that a reader of its text can check: what may include what, where assembly and builtins
// may stand, that both readers have the same files and names, and that a kernel uses every wrapper.
#include "test/Cuda/Nvrtc.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace {

using mmc::test::deviceHeaders;
using mmc::test::readText;
const std::filesystem::path kCuda = MMC_SOURCE_DIR "/runtime/cuda";
const std::filesystem::path kKernels = MMC_SOURCE_DIR "/test/Cuda/kernels";

bool startsWith(const std::string &name, const char *prefix) { return name.rfind(prefix, 0) == 0; }

/// Without comments and the contents of strings, lines kept.
std::string codeOf(const std::string &text) {
  std::string code;
  for (size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (text[i] == '"' && text.compare(text.rfind('\n', i) + 1, 8, "#include") != 0) {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      ++i;
      code += "\"\"";
    } else {
      code += text[i++];
    }
  }
  return code;
}

/// Files of device/, and the kernels that are written as emitted ones are (others break rules on purpose), by name.
std::map<std::string, std::string> readerSources() {
  std::map<std::string, std::string> sources;
  for (const auto &[name, text] : deviceHeaders()) sources[name] = text;
  for (const auto &entry : std::filesystem::directory_iterator(kKernels))
    if (const std::string name = entry.path().filename().string();
        startsWith(name, "primitives_") || startsWith(name, "product_"))
      sources["kernels/" + name] = readText(entry.path());
  return sources;
}

std::set<std::string> matches(const std::string &text, const char *pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

TEST(DeviceSource, WordsStandOnlyWhereTheyMay) {
  const struct {
    const char *word;
    std::vector<const char *> folders; // where it may stand
  } rules[] = {
      {R"(\basm\b)", {"ptx/"}},
      {R"(__shfl)", {"ptx/"}},
      {R"(__sync)", {"ptx/"}},
      {R"(\b(threadIdx|blockIdx|blockDim|gridDim)\b)", {"ptx/", "copy/"}},
      {R"(\breinterpret_cast\b)", {"ptx/", "copy/"}},
      {R"(extern\s+__shared__)", {"ptx/launch.cuh"}},
      {R"(__shared__\s+static|static\s+__shared__)", {}},
      {R"(\bprintf\b)", {}},
      {R"(#\s*include\s*<)", {}},
  };
  size_t seen = 0;
  for (const auto &[name, text] : readerSources()) {
    const std::string code = codeOf(text);
    for (const auto &rule : rules) {
      if (!std::regex_search(code, std::regex(rule.word))) continue;
      ++seen;
      const bool allowed = std::any_of(rule.folders.begin(), rule.folders.end(),
                                       [&](const char *folder) { return startsWith(name, folder); });
      EXPECT_TRUE(allowed) << name << " has " << rule.word;
    }
  }
  EXPECT_GT(seen, 10u) << "the words were not found even where they belong";
}

TEST(DeviceSource, HeadersIncludeOnlyOurs) {
  const auto headers = deviceHeaders();
  ASSERT_GT(headers.size(), 20u);
  for (const auto &[name, text] : readerSources())
    for (const std::string &include : matches(text, R"re(#include\s+"([^"]+)")re"))
      EXPECT_TRUE(headers.count(include)) << name << " includes " << include;
}

TEST(DeviceSource, CodeOfDropsCommentsAndStrings) {
  EXPECT_EQ(codeOf("a // asm\nb \"asm \\\" x\" c"), "a \nb \"\" c");
  EXPECT_EQ(codeOf("#include \"ptx/x.cuh\"\n"), "#include \"ptx/x.cuh\"\n");
}

/// Public functions of a header: those at the head of a line or after a template's parameters, outside of Detail
/// namespaces.
std::set<std::string> publicNames(const std::string &text) {
  std::set<std::string> names;
  const std::string code = codeOf(text);
  std::istringstream lines(code);
  bool detail = false;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, std::regex(R"(^namespace \w*Detail)"))) detail = true;
    if (startsWith(line, "}") && detail && line == "} ") detail = false; // the comment that names it is gone
    if (detail || startsWith(line, "#")) continue;
    std::smatch match;
    if (std::regex_search(line, match, std::regex(R"(MMC_DEVICE [\w]+ (\w+)\()"))) names.insert(match[1]);
  }
  return names;
}

TEST(DeviceSource, BothReadersHaveTheSameFilesAndNames) {
  const std::set<std::string> onlyDevice = {"text.cuh", "wgmma_float.cuh", "wgmma_integer.cuh"};
  size_t compared = 0;
  for (const auto &entry : std::filesystem::directory_iterator(kCuda / "device/ptx")) {
    const std::string name = entry.path().filename().string();
    if (onlyDevice.count(name)) continue;
    const std::filesystem::path twin = kCuda / "emulation/ptx" / name;
    ASSERT_TRUE(std::filesystem::exists(twin)) << twin;
    const std::set<std::string> device = publicNames(readText(entry.path())), host = publicNames(readText(twin));
    EXPECT_EQ(device, host) << name;
    compared += device.size();
  }
  for (const auto &entry : std::filesystem::directory_iterator(kCuda / "emulation/ptx")) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == "calls.h" || std::filesystem::exists(kCuda / "device/ptx" / name)) << name;
  }
  EXPECT_GT(compared, 120u);
}

TEST(DeviceSource, AKernelUsesEveryWrapper) {
  for (const auto &entry : std::filesystem::directory_iterator(kCuda / "device/ptx")) {
    const std::string stem = entry.path().stem().string();
    const std::filesystem::path kernel = kKernels / ("primitives_" + stem + ".cu");
    const std::set<std::string> names = publicNames(readText(entry.path()));
    if (stem == "text" || stem == "wgmma_float" || stem == "wgmma_integer") continue;
    ASSERT_TRUE(std::filesystem::exists(kernel)) << kernel;
    const std::string code = codeOf(readText(kernel));
    for (const std::string &name : names)
      EXPECT_TRUE(std::regex_search(code, std::regex("\\b" + name + "\\b"))) << kernel << " does not use " << name;
  }
}

/// The numbers that a kernel is declared with and those that it is exported with are written twice; the host reads the
/// second, the device the first.
TEST(DeviceSource, ExportsSayWhatDeclarationsSay) {
  size_t compared = 0;
  for (const auto &entry : std::filesystem::directory_iterator(kKernels)) {
    if (entry.path().extension() != ".cu") continue;
    const std::string text = readText(entry.path()), code = codeOf(text);
    if (startsWith(text, "// archs: none")) continue; // no device reads it
    // Name: threads, blocks, cluster.
    std::map<std::string, std::array<std::string, 3>> declared, exported;
    const std::regex declaration(R"(MMC_KERNEL\((\w+), (\w+)\)\s+(?:MMC_CLUSTER\((\w+)\)\s+)?void (\w+)\()");
    const std::regex plain(R"(MMC_EXPORT\((\w+), (\w+), (\w+))"),
        cluster(R"(MMC_EXPORT_CLUSTER\((\w+), (\w+), (\w+), (\w+))");
    const std::sregex_iterator end;
    for (std::sregex_iterator it(code.begin(), code.end(), declaration); it != end; ++it)
      declared[(*it)[4]] = {(*it)[1], (*it)[2], (*it)[3]};
    for (std::sregex_iterator it(code.begin(), code.end(), plain); it != end; ++it)
      exported[(*it)[1]] = {(*it)[2], (*it)[3], ""};
    for (std::sregex_iterator it(code.begin(), code.end(), cluster); it != end; ++it)
      exported[(*it)[1]] = {(*it)[2], (*it)[3], (*it)[4]};
    for (const auto &[name, numbers] : declared) {
      if (!exported.count(name)) continue; // made by a macro, or for the device only
      EXPECT_EQ(exported[name], numbers) << entry.path() << " " << name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 25u);
}

TEST(DeviceSource, WgmmaTextIsWhatTheScriptPrints) {
  for (const auto &[result, file] : {std::pair{"float", "wgmma_float.cuh"}, std::pair{"s32", "wgmma_integer.cuh"}}) {
    const std::string command = std::string(MMC_SOURCE_DIR "/scripts/generate-wgmma ") + result;
    FILE *pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string printed;
    std::array<char, 65536> buffer;
    for (size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) printed.append(buffer.data(), n);
    ASSERT_EQ(pclose(pipe), 0) << command;
    EXPECT_GT(printed.size(), 10000u);
    EXPECT_TRUE(printed == readText(kCuda / "device/ptx" / file)) << file << " is not what " << command << " prints";
  }
}

TEST(DeviceSource, FilesOpenWithAnInvariant) {
  for (const auto &[name, text] : deviceHeaders()) {
    EXPECT_TRUE(startsWith(text, "// ")) << name;
    const std::string opening = text.substr(0, text.find("#pragma once"));
    EXPECT_NE(opening.find("Invariant:"), std::string::npos) << name;
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 800) << name;
  }
}

} // namespace

// A library that looks like NVRTC: a "cubin" is a text made of the options and the program. For tests of what calls it.
//
// Lines of a program direct it: `#error WHAT` is an error of that line, `// in HEADER:N WHAT` one of a header that this
// line needed, `// memory` and `// builtins` are failures of its own, `// slow` takes a while.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <thread>

struct Program {
  std::string text, name, cubin, log;
  int headers;
};

namespace {

std::atomic<int> compilations = 0;

constexpr int kOutOfMemory = 1, kCompilation = 6, kBuiltins = 7;

int setting(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

int readDirections(Program &program) {
  std::istringstream lines(program.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string at = std::to_string(number);
    if (line.starts_with("#error ")) {
      program.log = program.name + "(" + at + "): error: " + line.substr(7) + "\n\n1 error detected.\n";
      return kCompilation;
    }
    if (line.starts_with("// in ")) {
      const size_t colon = line.find(':'), space = line.find(' ', colon);
      program.log = line.substr(6, colon - 6) + "(" + line.substr(colon + 1, space - colon - 1) +
                    "): error: " + line.substr(space + 1) + "\n          detected during instantiation at line " + at +
                    " of " + program.name + "\n";
      return kCompilation;
    }
    if (line == "// memory") return kOutOfMemory;
    if (line == "// builtins") {
      program.log = "nvrtc: error: failed to open the builtins\n";
      return kBuiltins;
    }
    if (line == "// slow") std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return 0;
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) int fakeNvrtcCompilations() { return compilations; }

__attribute__((visibility("default"))) const char *nvrtcGetErrorString(int result) {
  return result == kBuiltins ? "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE" : "NVRTC_ERROR_FAKE";
}
__attribute__((visibility("default"))) int nvrtcVersion(int *major, int *minor) {
  *major = setting("MMC_FAKE_NVRTC_MAJOR", 13);
  *minor = setting("MMC_FAKE_NVRTC_MINOR", 0);
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetNumSupportedArchs(int *count) {
  *count = 3;
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetSupportedArchs(int *numbers) {
  numbers[0] = 80, numbers[1] = 90, numbers[2] = 120;
  return 0;
}
__attribute__((visibility("default"))) int nvrtcCreateProgram(Program **program, const char *text, const char *name,
                                                              int headers, const char *const *texts,
                                                              const char *const *names) {
  *program = new Program{text, name, "", "", 0};
  for (int i = 0; i < headers; ++i) (*program)->headers += strlen(texts[i]) > 0 && strlen(names[i]) > 0;
  return 0;
}
__attribute__((visibility("default"))) int nvrtcDestroyProgram(Program **program) {
  delete *program;
  *program = nullptr;
  return 0;
}
__attribute__((visibility("default"))) int nvrtcCompileProgram(Program *program, int count,
                                                               const char *const *options) {
  const int serial = ++compilations;
  if (const int failure = readDirections(*program)) return failure;
  program->cubin = "cubin with " + std::to_string(program->headers) + " headers:";
  for (int i = 0; i < count; ++i) program->cubin += std::string(" ") + options[i];
  program->cubin += "\n" + program->name + "\n" + program->text + std::string("\0end", 4);
  program->log = "ptxas info    : Used 16 registers\nptxas info    : Compile time = " + std::to_string(serial) +
                 ".25 ms\nptxas info    : 0 bytes gmem\n";
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetCUBINSize(Program *program, size_t *bytes) {
  *bytes = program->cubin.size();
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetCUBIN(Program *program, char *cubin) {
  memcpy(cubin, program->cubin.data(), program->cubin.size());
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetProgramLogSize(Program *program, size_t *bytes) {
  *bytes = program->log.size() + 1;
  return 0;
}
__attribute__((visibility("default"))) int nvrtcGetProgramLog(Program *program, char *log) {
  memcpy(log, program->log.c_str(), program->log.size() + 1);
  return 0;
}
}

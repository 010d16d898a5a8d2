// Runs cases on a device: the real driver, or the emulated one by its path.
#pragma once

#include "lib/Silicon/Case.h"
#include "runtime/cuda/driver/DriverApi.h"

#include <map>

namespace mmc::silicon {

//   E093x cases of the device library
inline constexpr runtime::ErrorKind kSiliconModule{930, runtime::StatusCode::failed,
                                                   "give --kernels the folder that has the cubins, or the emulation's "
                                                   "objects, of every module of lib/Silicon/kernels"};
inline constexpr runtime::ErrorKind kSiliconRun{931, runtime::StatusCode::failed,
                                                "run the case alone with --only, under compute-sanitizer"};
inline constexpr runtime::ErrorKind kVectorFile{932, runtime::StatusCode::integrity,
                                                "record the file anew, with the program of this version"};

struct DeviceFacts {
  std::string name; // the emulation's has its word in it
  int major = 0, minor = 0, driverVersion = 0;
  std::string sm() const { return "sm_" + std::to_string(major * 10 + minor); }
};

class CaseRunner {
public:
  /// `kernels` has MODULE.cubin or MODULE.so of each module. Errors: as openDriver(), and of the driver's calls.
  static runtime::Expected<std::unique_ptr<CaseRunner>> open(const std::string &driver, const std::string &kernels);
  ~CaseRunner();

  const DeviceFacts &facts() const { return device; }
  /// Launches the case and waits: what the output holds then. Errors: no module (kSiliconModule), a call that fails, a
  /// write past the output's end (kSiliconRun).
  runtime::Expected<Words> run(const Case &c);

private:
  explicit CaseRunner(std::shared_ptr<const cuda::DriverApi> api, std::string kernels)
      : api(std::move(api)), kernels(std::move(kernels)) {}
  runtime::Status start();
  runtime::Expected<cuda::Function> functionOf(const Case &c);
  runtime::Status check(cuda::Result result, const char *call) const;
  runtime::Expected<Words> runOn(const Case &c, cuda::Function function, cuda::DevicePointer in,
                                 cuda::DevicePointer out);

  std::shared_ptr<const cuda::DriverApi> api;
  std::string kernels;
  DeviceFacts device;
  cuda::Context context = nullptr;
  cuda::Stream stream = nullptr;
  std::map<std::string, cuda::Module> modules;
};

} // namespace mmc::silicon

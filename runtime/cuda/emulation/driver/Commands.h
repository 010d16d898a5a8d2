// What streams and graphs do: launches, copies, fills. A Work is what was asked for, with its parameters copied; a
// Command is one that stands in a stream.
//
// Copies and fills access emulated memory under a block serial of their own, so a race between a copy and a launch is
// found like one between two launches.
#pragma once

#include "runtime/cuda/driver/DriverTypes.h"
#include "runtime/cuda/emulation/core/Clock.h"
#include "runtime/cuda/emulation/core/Machine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mmc::emu::driver {

struct ModuleImage;

/// Where and when a work is executed.
struct Execution {
  CommandPlace place;
  const StreamClock *before = nullptr;
  const StreamClock *afterDependency = nullptr; // null: the same
};

/// Bytes of host memory.
struct HostRange {
  const uint8_t *begin = nullptr;
  uint64_t bytes = 0;
};

class Work {
public:
  virtual ~Work() = default;
  /// The entry point that asked for it.
  virtual const char *call() const = 0;
  virtual void run(const Execution &at) const = 0;
  virtual bool isLaunch() const { return false; }
  /// A launch that may begin before its predecessor has ended.
  virtual bool isDependent() const { return false; }
  /// Page-locked memory that it will read: nobody may change it before.
  virtual HostRange hostSource() const { return {}; }
};

class LaunchWork : public Work {
public:
  const char *call() const override { return "cuLaunchKernel"; }
  void run(const Execution &at) const override;
  bool isLaunch() const override { return true; }
  bool isDependent() const override { return dependent; }
  /// Copies the parameters' values.
  void setParameters(void **values);

  MmcEmuKernel kernel = {};
  LaunchOptions options;
  bool dependent = false;
  std::shared_ptr<ModuleImage> image; // holds the kernel's code

private:
  std::vector<std::vector<uint8_t>> parameters;
};

enum class Direction : uint8_t { toDevice, toHost, onDevice };

class CopyWork : public Work {
public:
  CopyWork(const char *name, Direction direction, void *to, const void *from, uint64_t bytes)
      : name(name), direction(direction), to(static_cast<uint8_t *>(to)), from(static_cast<const uint8_t *>(from)),
        bytes(bytes) {}
  const char *call() const override { return name; }
  void run(const Execution &at) const override;
  HostRange hostSource() const override;
  /// Takes the source's bytes now, as is done with memory that is not page-locked.
  void stage() { staged.assign(from, from + bytes); }

private:
  const char *name;
  Direction direction;
  uint8_t *to;
  const uint8_t *from;
  uint64_t bytes;
  std::vector<uint8_t> staged;
};

class FillWork : public Work {
public:
  FillWork(const char *name, void *to, uint32_t value, uint32_t elementBytes, uint64_t count)
      : name(name), to(static_cast<uint8_t *>(to)), value(value), elementBytes(elementBytes), count(count) {}
  const char *call() const override { return name; }
  void run(const Execution &at) const override;

private:
  const char *name;
  uint8_t *to;
  uint32_t value, elementBytes;
  uint64_t count;
};

/// When an event was reached; shared by the event and the command.
struct Moment {
  uint64_t nanoseconds = 0;
};

class MarkWork : public Work {
public:
  explicit MarkWork(std::shared_ptr<Moment> moment) : moment(std::move(moment)) {}
  const char *call() const override { return "cuEventRecord"; }
  void run(const Execution &at) const override;

private:
  std::shared_ptr<Moment> moment;
};

} // namespace mmc::emu::driver

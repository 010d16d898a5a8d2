// A device of an open driver, its context, and what is allocated there. Every call of the driver goes through check(),
// so a failure says what was being done, and after one that ends the context nothing is asked of the device again.
//
// The context is the device's primary one, which other users of the process share. It is made current for the length of
// a Scope, and the caller's own is put back: a service may use CUDA itself.
#pragma once

#include "runtime/cuda/driver/DriverApi.h"

#include <atomic>
#include <mutex>
#include <span>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

/// Whether an error leaves the context unusable for good.
bool endsContext(Result result);

class DeviceContext {
public:
  static Expected<std::shared_ptr<DeviceContext>> open(std::shared_ptr<const DriverApi> api, int ordinal);
  ~DeviceContext();
  DeviceContext(const DeviceContext &) = delete;

  /// Makes the context current, until it is destroyed; fails at once where the context has ended.
  class Scope {
  public:
    explicit Scope(const DeviceContext &device);
    ~Scope();
    Scope(const Scope &) = delete;
    const Status &status() const { return entered; }

  private:
    const DeviceContext &device;
    Context former = nullptr;
    bool changed = false;
    Status entered;
  };

  /// Fine, or the failure of a call: `doing()` says what was being done, and is asked only then.
  template <typename Doing> Status check(Result result, const char *call, Doing doing) const {
    return result == Result::success ? Status() : fail(result, call, doing());
  }
  /// Fails, always the same way, once the context has ended.
  Status ready() const;

  const DriverApi &driver() const { return *api; }
  const std::string &name() const { return label; }
  uint32_t major() const { return capabilityMajor; }
  uint32_t minor() const { return capabilityMinor; }
  uint32_t multiprocessors() const { return sms; }
  /// Dynamic shared memory that a block may ask for.
  uint32_t maxSharedBytes() const { return sharedBytes; }

private:
  DeviceContext() = default;
  Status fail(Result result, const char *call, const std::string &doing) const;
  Status readAttributes();

  std::shared_ptr<const DriverApi> api;
  int ordinal = 0;
  Context context = nullptr; // null: not retained
  std::string label;
  uint32_t capabilityMajor = 0, capabilityMinor = 0, sms = 0, sharedBytes = 0;
  mutable std::atomic<bool> ended = false;
  mutable std::mutex mutex;
  mutable Status reason; // of the end
};

/// Calls a field of the driver's table and checks the result; the text `doing` is made only where it failed.
#define MMC_CUDA_CALL(device, entry, arguments, doing)                                                                 \
  (device).check((device).driver().entry arguments, ::mmc::cuda::symbols::entry, [&]() -> std::string { return doing; })

/// Memory of the device; freed when destroyed. Movable.
class DeviceMemory {
public:
  DeviceMemory() = default;
  ~DeviceMemory();
  DeviceMemory(DeviceMemory &&other) noexcept;
  DeviceMemory &operator=(DeviceMemory &&other) noexcept;

  /// `what` names it in the message of a failure. Zero bytes give valid, empty memory. Inside of a Scope.
  static Expected<DeviceMemory> allocate(std::shared_ptr<const DeviceContext> device, uint64_t bytes,
                                         const std::string &what);

  DevicePointer address() const { return pointer; }
  uint64_t size() const { return length; }

private:
  std::shared_ptr<const DeviceContext> device;
  DevicePointer pointer = 0;
  uint64_t length = 0;
};

/// Page-locked memory of the host, which copies do not have to stage; as DeviceMemory.
class PinnedMemory {
public:
  PinnedMemory() = default;
  ~PinnedMemory();
  PinnedMemory(PinnedMemory &&other) noexcept;
  PinnedMemory &operator=(PinnedMemory &&other) noexcept;

  static Expected<PinnedMemory> allocate(std::shared_ptr<const DeviceContext> device, uint64_t bytes,
                                         const std::string &what);

  uint8_t *data() const { return static_cast<uint8_t *>(pointer); }
  uint64_t size() const { return length; }

private:
  std::shared_ptr<const DeviceContext> device;
  void *pointer = nullptr;
  uint64_t length = 0;
};

/// A stream of its own, which waits for no other.
class OwnedStream {
public:
  OwnedStream() = default;
  ~OwnedStream();
  OwnedStream(OwnedStream &&other) noexcept;
  OwnedStream &operator=(OwnedStream &&other) noexcept;

  static Expected<OwnedStream> create(std::shared_ptr<const DeviceContext> device);
  Stream get() const { return stream; }

private:
  std::shared_ptr<const DeviceContext> device;
  Stream stream = nullptr;
};

/// An event without a time: what orders one stream after another, and what the host waits for.
class OwnedEvent {
public:
  OwnedEvent() = default;
  ~OwnedEvent();
  OwnedEvent(OwnedEvent &&other) noexcept;
  OwnedEvent &operator=(OwnedEvent &&other) noexcept;

  static Expected<OwnedEvent> create(std::shared_ptr<const DeviceContext> device);
  Event get() const { return event; }

private:
  std::shared_ptr<const DeviceContext> device;
  Event event = nullptr;
};

} // namespace mmc::cuda

// What the driver's handles point to. Every object belongs to a context and goes with it at the latest; a handle is
// looked up before it is followed, so one that is stale is refused.
#pragma once

#include "runtime/cuda/driver/DriverTypes.h"
#include "runtime/cuda/emulation/driver/Commands.h"
#include "runtime/cuda/emulation/driver/HostMemory.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mmc::emu::driver {

struct Capture;
struct GraphPlan;

/// A work in a stream, not yet executed.
struct Command {
  CommandPlace place;
  std::shared_ptr<const Work> work; // null: only waits
  std::vector<CommandPlace> waits;  // on other streams; executed first
  StreamClock before;
  std::optional<StreamClock> afterDependency;
  std::vector<HostPrint> prints; // of host memory that it reads
  std::shared_ptr<GraphPlan> graph;
  std::vector<uint64_t> graphBases; // of its branches' streams
};

/// Objects by handle. The addresses of removed ones are not given out again for a while, so that a stale handle is
/// none.
template <class T> class Handles {
public:
  T *add(std::unique_ptr<T> object) {
    void *storage = ::operator new(sizeof(T));
    T *handle = new (storage) T(std::move(*object));
    objects.emplace(handle, Owner(handle));
    return handle;
  }
  bool has(T *handle) const { return objects.count(handle) != 0; }
  void remove(T *handle) { objects.erase(handle); }
  template <class Predicate> void removeIf(Predicate predicate) {
    std::erase_if(objects, [&](auto &entry) { return predicate(*entry.second); });
  }
  template <class Visit> void each(Visit visit) {
    for (auto &entry : objects) visit(*entry.second);
  }
  size_t size() const { return objects.size(); }

private:
  struct Retire {
    void operator()(T *object) const {
      constexpr size_t kKept = 4096;
      static std::deque<void *> *kept = new std::deque<void *>;
      object->~T();
      kept->push_back(object);
      if (kept->size() <= kKept) return;
      ::operator delete(kept->front());
      kept->pop_front();
    }
  };
  using Owner = std::unique_ptr<T, Retire>;
  std::unordered_map<T *, Owner> objects;
};

} // namespace mmc::emu::driver

/// The primary context of a device; the object lives as long as the process.
struct CUctx_st {
  mmc::cuda::Device device = 0;
  uint32_t retained = 0; // 0: there is no context
  /// What has killed it: the answer to every call from then on.
  mmc::cuda::Result failure = mmc::cuda::Result::success;
  uint64_t peers = 0;          // devices whose memory its kernels may access
  uint32_t copies = 0;         // the stream of blocking copies
  mmc::emu::StreamClock ended; // of streams that are no more
};

struct CUmod_st {
  CUctx_st *context = nullptr;
  std::shared_ptr<mmc::emu::driver::ModuleImage> image;
  std::map<std::string, CUfunc_st *> functions;
};

struct CUfunc_st {
  CUmod_st *module = nullptr;
  /// The module's record, but without its shared memory: that comes from the launch, as on a GPU.
  MmcEmuKernel kernel = {};
  uint32_t sharedBytes = 0; // of the kernel's struct
  uint32_t maxDynamicShared = 48 << 10;
  bool largeClusters = false; // more than 8 blocks
};

struct CUstream_st {
  CUctx_st *context = nullptr;
  unsigned flags = 0;
  int priority = 0;
  uint32_t number = 0;
  /// Everything before the next command, of this stream and of those it has waited for.
  mmc::emu::StreamClock clock;
  std::deque<mmc::emu::driver::Command> pending;
  std::vector<mmc::emu::CommandPlace> waits; // for the next command
  /// The last command, if it is a launch: the clock before it, for one that may begin before it has ended.
  std::optional<mmc::emu::StreamClock> beforeLastLaunch;

  std::shared_ptr<mmc::emu::driver::Capture> capture;
  std::vector<uint32_t> captureTail; // nodes that the next one depends on
  bool tailIsLaunch = false;         // and it is the one node of the last call
};

struct CUevent_st {
  CUctx_st *context = nullptr;
  unsigned flags = 0;
  bool recorded = false;
  mmc::emu::CommandPlace place;
  mmc::emu::StreamClock clock; // of whoever waits for it
  std::shared_ptr<mmc::emu::driver::Moment> moment;

  /// Where it was recorded last is a capture.
  std::shared_ptr<mmc::emu::driver::Capture> capture;
  std::vector<uint32_t> captureTail;
};

struct CUgraph_st {
  CUctx_st *context = nullptr;
  std::shared_ptr<mmc::emu::driver::GraphPlan> plan;
};

struct CUgraphExec_st {
  CUctx_st *context = nullptr;
  std::shared_ptr<mmc::emu::driver::GraphPlan> plan;
};

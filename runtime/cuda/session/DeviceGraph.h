// A program of a plan as a graph of the driver: captured once for a shape class, replayed for every step of it.
#pragma once

#include "runtime/cuda/session/DeviceContext.h"

namespace mmc::cuda {

/// What a stream has captured, ready to be launched; destroyed with the object. Movable.
class OwnedGraph {
public:
  OwnedGraph() = default;
  ~OwnedGraph();
  OwnedGraph(OwnedGraph &&other) noexcept;
  OwnedGraph &operator=(OwnedGraph &&other) noexcept;

  /// Captures what `record` puts into the stream; inside of a Scope. A failure of `record` is handed back, and the
  /// stream captures no more whatever fails. `what` names the graph in messages.
  template <typename Record>
  static Expected<OwnedGraph> capture(std::shared_ptr<const DeviceContext> device, Stream stream,
                                      const std::string &what, Record record) {
    MMC_RETURN_IF_ERROR(begin(*device, stream, what));
    return end(std::move(device), stream, what, record());
  }

  GraphExec get() const { return exec; }

private:
  static Status begin(const DeviceContext &device, Stream stream, const std::string &what);
  static Expected<OwnedGraph> end(std::shared_ptr<const DeviceContext> device, Stream stream, const std::string &what,
                                  Status recorded);

  std::shared_ptr<const DeviceContext> device;
  GraphExec exec = nullptr;
};

} // namespace mmc::cuda

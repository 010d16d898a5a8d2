// Records launches through the session's observer, which runs on the stepping thread, before and after each launch.
#include "lib/Driver/Trace.h"

#include "lib/Driver/Console.h"
#include "runtime/src/CApi.h"

#include <nlohmann/json.hpp>

namespace mmc::driver {

struct LaunchTrace::Recorder {
  struct Launch {
    uint32_t kernel;
    int32_t layer;
    double begin, seconds;
    uint64_t points, tokens;
  };
  const runtime::PlanTables &tables;
  Stopwatch watch;
  std::vector<Launch> launches;
};

LaunchTrace::LaunchTrace(mmc_session *session, const runtime::PlanTables &tables)
    : session(session), recorder(std::make_shared<Recorder>(Recorder{tables, {}, {}})) {
  session->session->setObserver([recorder = recorder](const runtime::LaunchEvent &event) {
    const double now = recorder->watch.seconds();
    if (event.before)
      recorder->launches.push_back({event.kernel, event.layer, now, 0, event.points, event.step->tokens});
    else
      recorder->launches.back().seconds = now - recorder->launches.back().begin;
  });
}

LaunchTrace::~LaunchTrace() { session->session->setObserver({}); }

Status LaunchTrace::write(runtime::OutputFile &file) const {
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  text += R"({"name":"process_name","ph":"M","pid":0,"args":{"name":"rank 0"}},)"
          "\n"
          R"({"name":"thread_name","ph":"M","pid":0,"tid":0,"args":{"name":")" +
          recorder->tables.target + R"("}})";
  for (const Recorder::Launch &launch : recorder->launches) {
    nlohmann::ordered_json event = {
        {"name", recorder->tables.kernels[launch.kernel].name},
        {"cat", "launch"},
        {"ph", "X"},
        {"pid", 0},
        {"tid", 0},
        {"ts", launch.begin * 1e6},
        {"dur", launch.seconds * 1e6},
        {"args", {{"layer", launch.layer}, {"points", launch.points}, {"tokens", launch.tokens}}}};
    text += ",\n" + event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  text += "\n]}\n";
  MMC_RETURN_IF_ERROR(file.write({reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
  return file.commit();
}

} // namespace mmc::driver

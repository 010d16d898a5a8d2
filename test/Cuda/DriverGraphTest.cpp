// Captures and graphs: what is captured, each rule of captures by a program that breaks it, and what orders the nodes
// of a graph and its launches.
#include "test/Cuda/DriverRun.h"

#include <thread>

using namespace mmc::emu::test;

namespace {

/// Ends the capture, which must be good, and makes the graph ready.
GraphExec finish(Rig &rig, Stream stream) {
  Graph graph = nullptr;
  GraphExec exec = nullptr;
  EXPECT_EQ(rig.api.streamEndCapture(stream, &graph), Result::success);
  EXPECT_EQ(rig.api.graphInstantiate(&exec, graph, 0), Result::success);
  EXPECT_EQ(rig.api.graphDestroy(graph), Result::success); // what was made of it stays
  return exec;
}

void begin(Rig &rig, CaptureMode mode = CaptureMode::threadLocal) {
  EXPECT_EQ(rig.api.streamBeginCapture(rig.stream, mode), Result::success);
}

CaptureStatus statusOf(Rig &rig, Stream stream) {
  CaptureStatus status = CaptureStatus::none;
  EXPECT_EQ(rig.api.streamIsCapturing(stream, &status), Result::success);
  return status;
}

/// The end of a capture that something has invalidated.
void expectInvalidated(Rig &rig) {
  EXPECT_EQ(statusOf(rig, rig.stream), CaptureStatus::invalidated);
  Graph graph = reinterpret_cast<Graph>(&rig);
  MMC_REFUSED(streamCaptureInvalidated, rig.api.streamEndCapture(rig.stream, &graph));
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(statusOf(rig, rig.stream), CaptureStatus::none);
  MMC_GOOD(rig.api.streamSynchronize(rig.stream)); // as before
}

TEST(DriverGraph, ReplaysWithTheParametersOfTheCapture) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      begin(rig);
      EXPECT_EQ(statusOf(rig, rig.stream), CaptureStatus::active);
      for (uint32_t i = 1; i <= 3; ++i) {
        uint32_t value = i;
        MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, value));
        value = 100;
      }
      const GraphExec exec = finish(rig, rig.stream);
      MMC_GOOD(rig.api.graphUpload(exec, rig.stream));
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(data, 1)[0], 0u); // capturing runs nothing
      for (int i = 0; i < 5; ++i) MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
      MMC_GOOD(rig.api.graphExecDestroy(exec)); // launches go on
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(data, 1)[0], 30u);
      MMC_REFUSED(invalidHandle, rig.api.graphLaunch(exec, rig.stream));
      MMC_REFUSED(invalidHandle, rig.api.graphUpload(exec, rig.stream));
      MMC_REFUSED(invalidHandle, rig.api.graphExecDestroy(exec));
      MMC_REFUSED(invalidHandle, rig.api.graphDestroy(nullptr));
      GraphExec other = nullptr;
      MMC_REFUSED(invalidHandle, rig.api.graphInstantiate(&other, nullptr, 0));
    });
}

TEST(DriverGraph, CopiesReadTheHostWhenTheyRun) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      uint32_t *in = rig.pinned(64, 1), *out = rig.pinned(64, 0);
      begin(rig);
      MMC_GOOD(rig.api.memcpyHtoDAsync(data, in, 256, rig.stream));
      MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 10u));
      MMC_GOOD(rig.api.memcpyDtoHAsync(out, data, 256, rig.stream));
      const GraphExec exec = finish(rig, rig.stream);
      for (uint32_t value : {5u, 6u}) {
        in[0] = value;
        MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
        MMC_GOOD(rig.api.streamSynchronize(rig.stream));
        EXPECT_EQ(out[0], value + 10);
      }
    });
  expectFinding({}, "the host changes page-locked memory", [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0);
    uint32_t *in = rig.pinned(64, 1);
    begin(rig);
    MMC_GOOD(rig.api.memcpyHtoDAsync(data, in, 256, rig.stream));
    const GraphExec exec = finish(rig, rig.stream);
    MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
    in[7] = 2;
    MMC_REFUSED(launchFailed, rig.api.streamSynchronize(rig.stream));
  });
}

/// Captures a fork into a second stream and its join, and launches it twice. Broken: the two branches meet in memory.
void expectBranches(bool broken, const Settings &settings) {
  auto program = [broken] {
    Rig rig;
    const Stream other = rig.newStream();
    const Event fork = rig.newEvent(), join = rig.newEvent();
    const DevicePointer a = rig.filled(64, 0), b = rig.filled(64, 0), sum = rig.filled(64, 0);
    begin(rig);
    MMC_GOOD(rig.launch(rig.stream, "fillWith", a, 1u));
    MMC_GOOD(rig.api.eventRecord(fork, rig.stream));
    MMC_GOOD(rig.api.streamWaitEvent(other, fork, 0));
    EXPECT_EQ(statusOf(rig, other), CaptureStatus::active);
    MMC_GOOD(rig.launch(other, "addTo", b, a, 10u));
    MMC_GOOD(rig.launch(rig.stream, "addTo", broken ? b : sum, a, 20u));
    MMC_GOOD(rig.api.eventRecord(join, other));
    MMC_GOOD(rig.api.streamWaitEvent(rig.stream, join, 0));
    MMC_GOOD(rig.launch(rig.stream, "addTo", sum, b, 5u));
    const GraphExec exec = finish(rig, rig.stream);
    EXPECT_EQ(statusOf(rig, other), CaptureStatus::none);
    for (int i = 0; i < 2; ++i) MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
    EXPECT_EQ(rig.api.streamSynchronize(rig.stream), broken ? Result::launchFailed : Result::success);
    if (!broken) {
      EXPECT_EQ(rig.read(sum, 1)[0], 16u);
    }
  };
  if (broken)
    expectFinding(settings, lineOf("Driver.cu", "reads what another stream writes"), program);
  else
    expectSilent(settings, program);
}

TEST(DriverGraph, BranchesAreOrderedByForkAndJoinOnly) {
  for (const Settings &settings : seeds())
    for (bool broken : {true, false}) expectBranches(broken, settings);
}

TEST(DriverGraph, LaunchesOfOneGraphFollowOneAnotherInAnyStream) {
  // One graph launched in two streams is ordered; two graphs are not.
  for (const Settings &settings : seeds())
    for (bool two : {true, false}) {
      auto program = [two] {
        Rig rig;
        const Stream other = rig.newStream();
        const DevicePointer data = rig.filled(64, 0);
        GraphExec execs[2] = {};
        for (int i = 0; i < 1 + two; ++i) {
          begin(rig);
          MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
          execs[i] = finish(rig, rig.stream);
        }
        MMC_GOOD(rig.api.graphLaunch(execs[0], rig.stream));
        MMC_GOOD(rig.api.graphLaunch(execs[two], other));
        EXPECT_EQ(rig.api.ctxSynchronize(), two ? Result::launchFailed : Result::success);
        if (!two) {
          EXPECT_EQ(rig.read(data, 1)[0], 2u);
        }
      };
      if (two)
        expectFinding(settings, "race", program);
      else
        expectSilent(settings, program);
    }
}

TEST(DriverGraph, ALaunchIsOrderedInItsStreamAndByEvents) {
  for (const Settings &settings : seeds())
    for (bool broken : {true, false}) {
      auto program = [broken] {
        Rig rig;
        const Stream other = rig.newStream();
        const Event event = rig.newEvent();
        const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
        begin(rig);
        MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
        const GraphExec exec = finish(rig, rig.stream);
        MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
        MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
        MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
        if (broken) MMC_GOOD(rig.api.eventRecord(event, rig.stream));
        MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
        if (!broken) MMC_GOOD(rig.api.eventRecord(event, rig.stream));
        MMC_GOOD(rig.api.streamWaitEvent(other, event, 0));
        MMC_GOOD(rig.launch(other, "addTo", out, data, 0u));
        EXPECT_EQ(rig.api.ctxSynchronize(), broken ? Result::launchFailed : Result::success);
        if (!broken) {
          EXPECT_EQ(rig.read(out, 1)[0], 8u);
        }
      };
      if (broken)
        expectFinding(settings, "race", program);
      else
        expectSilent(settings, program);
    }
}

TEST(DriverGraph, DependentLaunchesStayDependent) {
  for (const Settings &settings : seeds())
    for (uint32_t variant : {0u, 1u}) {
      auto program = [variant] {
        Rig rig;
        const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
        LaunchConfig config = Rig::config(rig.stream);
        LaunchAttribute early = {};
        early.id = LaunchAttributeId::programmaticStreamSerialization;
        early.value.programmaticStreamSerialization = 1;
        config.attributes = &early;
        config.attributeCount = 1;
        begin(rig);
        MMC_GOOD(rig.launch(rig.stream, "produce", data, 1u));
        MMC_GOOD(rig.launchWith(config, "consume", data, out, variant));
        const GraphExec exec = finish(rig, rig.stream);
        MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
        EXPECT_EQ(rig.api.streamSynchronize(rig.stream), variant ? Result::launchFailed : Result::success);
      };
      if (variant)
        expectFinding(settings, "race", program);
      else
        expectSilent(settings, program);
    }
}

TEST(DriverGraph, AnEmptyCaptureIsAGraph) {
  expectSilent({}, [] {
    Rig rig;
    begin(rig);
    const GraphExec exec = finish(rig, rig.stream);
    MMC_GOOD(rig.api.graphLaunch(exec, rig.stream));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
  });
}

TEST(DriverCapture, NobodyWaitsForACapturingStream) {
  expectSilent({}, [] {
    Rig rig;
    begin(rig);
    MMC_REFUSED(streamCaptureUnsupported, rig.api.streamSynchronize(rig.stream));
    expectInvalidated(rig);
    begin(rig);
    MMC_REFUSED(streamCaptureUnsupported, rig.api.streamQuery(rig.stream));
    expectInvalidated(rig);
    begin(rig, CaptureMode::relaxed);
    MMC_REFUSED(streamCaptureUnsupported, rig.api.ctxSynchronize());
    expectInvalidated(rig);
    // Nor for an event that it has recorded.
    const Event event = rig.newEvent();
    begin(rig);
    MMC_GOOD(rig.api.eventRecord(event, rig.stream));
    MMC_REFUSED(capturedEvent, rig.api.eventQuery(event));
    expectInvalidated(rig);
    begin(rig);
    MMC_GOOD(rig.api.eventRecord(event, rig.stream));
    MMC_REFUSED(capturedEvent, rig.api.eventSynchronize(event));
    expectInvalidated(rig);
    MMC_GOOD(rig.api.eventRecord(event, rig.stream)); // and then outside of it
    MMC_GOOD(rig.api.eventSynchronize(event));
  });
}

TEST(DriverCapture, ModesForbidWhatMayWait) {
  auto allocate = [](Rig &rig) {
    DevicePointer data = 0;
    return rig.api.memAlloc(&data, 4);
  };
  expectSilent({}, [&] {
    Rig rig;
    begin(rig, CaptureMode::global);
    MMC_REFUSED(streamCaptureUnsupported, allocate(rig));
    expectInvalidated(rig);
    begin(rig, CaptureMode::threadLocal);
    MMC_REFUSED(streamCaptureUnsupported, allocate(rig));
    expectInvalidated(rig);
    begin(rig, CaptureMode::relaxed);
    MMC_GOOD(allocate(rig));
    EXPECT_EQ(statusOf(rig, rig.stream), CaptureStatus::active);
    finish(rig, rig.stream);
    // Another thread is forbidden by `global` only.
    for (CaptureMode mode : {CaptureMode::global, CaptureMode::threadLocal}) {
      begin(rig, mode);
      std::thread([&] {
        MMC_GOOD(rig.api.ctxSetCurrent(rig.context));
        EXPECT_EQ(allocate(rig), mode == CaptureMode::global ? Result::streamCaptureUnsupported : Result::success);
      }).join();
      if (mode == CaptureMode::global)
        expectInvalidated(rig);
      else
        finish(rig, rig.stream);
    }
  });
}

TEST(DriverCapture, CallsThatMayWaitInvalidate) {
  using Call = std::function<Result(Rig &)>;
  const std::vector<std::pair<const char *, Call>> calls = {
      {"free", [](Rig &rig) { return rig.api.memFree(rig.filledBefore); }},
      {"host memory",
       [](Rig &rig) {
         void *pointer;
         return rig.api.memHostAlloc(&pointer, 4, 0);
       }},
      {"blocking copy", [](Rig &rig) { return MMC_MORE(cuMemsetD32_v2)(rig.filledBefore, 0, 1); }},
      {"another stream", [](Rig &rig) { return rig.api.streamSynchronize(rig.second); }},
      {"unload", [](Rig &rig) { return rig.api.moduleUnload(rig.module); }},
      {"copy of memory that is not page-locked",
       [](Rig &rig) { return rig.api.memcpyHtoDAsync(rig.filledBefore, &rig, 4, rig.stream); }},
  };
  for (auto &[name, call] : calls) {
    SCOPED_TRACE(name);
    expectSilent({}, [&call = call] {
      Rig rig;
      rig.filledBefore = rig.filled(64, 0);
      rig.second = rig.newStream();
      begin(rig);
      MMC_REFUSED(streamCaptureUnsupported, call(rig));
      expectInvalidated(rig);
    });
  }
}

TEST(DriverCapture, EveryForkIsJoined) {
  // 0: joined; 1: not at all; 2: joined before its last launch.
  for (int variant = 0; variant < 3; ++variant)
    expectSilent({}, [variant] {
      Rig rig;
      const Stream other = rig.newStream();
      const Event fork = rig.newEvent(), join = rig.newEvent();
      const DevicePointer data = rig.filled(64, 0), more = rig.filled(64, 0);
      begin(rig);
      MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 1u));
      MMC_GOOD(rig.api.eventRecord(fork, rig.stream));
      MMC_GOOD(rig.api.streamWaitEvent(other, fork, 0));
      MMC_GOOD(rig.launch(other, "fillWith", more, 1u));
      if (variant != 1) {
        MMC_GOOD(rig.api.eventRecord(join, other));
        MMC_GOOD(rig.api.streamWaitEvent(rig.stream, join, 0));
      }
      if (variant == 2) MMC_GOOD(rig.launch(other, "fillWith", more, 2u));
      Graph graph = nullptr;
      EXPECT_EQ(rig.api.streamEndCapture(rig.stream, &graph),
                variant ? Result::streamCaptureUnjoined : Result::success);
      EXPECT_EQ(graph != nullptr, variant == 0);
      EXPECT_EQ(statusOf(rig, other), CaptureStatus::none);
      MMC_GOOD(rig.api.streamSynchronize(other));
    });
}

TEST(DriverCapture, EndsWhereItBegan) {
  expectSilent({}, [] {
    Rig rig;
    Graph graph = nullptr;
    MMC_REFUSED(illegalState, rig.api.streamEndCapture(rig.stream, &graph));
    begin(rig);
    MMC_REFUSED(illegalState, rig.api.streamBeginCapture(rig.stream, CaptureMode::relaxed));
    std::thread([&] {
      MMC_GOOD(rig.api.ctxSetCurrent(rig.context));
      MMC_REFUSED(streamCaptureWrongThread, rig.api.streamEndCapture(rig.stream, &graph));
    }).join();
    finish(rig, rig.stream);
    const Stream other = rig.newStream();
    const Event fork = rig.newEvent();
    begin(rig);
    MMC_GOOD(rig.api.eventRecord(fork, rig.stream));
    MMC_GOOD(rig.api.streamWaitEvent(other, fork, 0));
    MMC_REFUSED(streamCaptureUnmatched, rig.api.streamEndCapture(other, &graph));
    expectInvalidated(rig);
    MMC_REFUSED(invalidValue, rig.api.streamBeginCapture(rig.stream, CaptureMode(7)));
    MMC_REFUSED(notSupported, rig.api.streamBeginCapture(nullptr, CaptureMode::relaxed));
  });
}

TEST(DriverCapture, StaysApartFromOtherWorkAndOtherCaptures) {
  expectSilent({}, [] {
    Rig rig;
    const Stream other = rig.newStream();
    const Event outside = rig.newEvent(), inside = rig.newEvent();
    MMC_GOOD(rig.api.eventRecord(outside, other));
    begin(rig);
    MMC_REFUSED(streamCaptureIsolation, rig.api.streamWaitEvent(rig.stream, outside, 0));
    expectInvalidated(rig);
    begin(rig);
    MMC_GOOD(rig.api.streamBeginCapture(other, CaptureMode::threadLocal));
    MMC_GOOD(rig.api.eventRecord(inside, rig.stream));
    MMC_REFUSED(streamCaptureMerge, rig.api.streamWaitEvent(other, inside, 0));
    Graph graph = nullptr;
    MMC_REFUSED(streamCaptureInvalidated, rig.api.streamEndCapture(other, &graph));
    expectInvalidated(rig);
    MMC_REFUSED(capturedEvent, rig.api.streamWaitEvent(other, inside, 0)); // of a capture that is over
  });
}

TEST(DriverCapture, AnInvalidatedCaptureTakesNothingMore) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0);
    const Event event = rig.newEvent();
    begin(rig);
    MMC_REFUSED(streamCaptureUnsupported, rig.api.streamQuery(rig.stream));
    MMC_REFUSED(streamCaptureInvalidated, rig.launch(rig.stream, "fillWith", data, 1u));
    MMC_REFUSED(streamCaptureInvalidated, rig.api.eventRecord(event, rig.stream));
    expectInvalidated(rig);
    EXPECT_EQ(rig.read(data, 1)[0], 0u);
    // A graph in a capturing stream is refused.
    begin(rig);
    const GraphExec exec = finish(rig, rig.stream);
    begin(rig);
    MMC_REFUSED(streamCaptureUnsupported, rig.api.graphLaunch(exec, rig.stream));
    expectInvalidated(rig);
    // And a stream may go while it captures.
    begin(rig);
    MMC_GOOD(rig.api.streamDestroy(rig.stream));
    DevicePointer more = 0;
    MMC_GOOD(rig.api.memAlloc(&more, 4));
  });
}

} // namespace

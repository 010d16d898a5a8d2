// Cubins as NVRTC makes them pass the form check for their own architecture, and for no other.
#include "runtime/src/DeviceImage.h"
#include "test/Cuda/Nvrtc.h"
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

TEST(Cubin, OfNvrtcIsAccepted) {
  const std::optional<Nvrtc> nvrtc = Nvrtc::open();
  if (!nvrtc) GTEST_SKIP() << "no NVRTC on this machine";
  const std::string source = "extern \"C\" __global__ void first(float *p) { p[threadIdx.x] = 1; }\n"
                             "extern \"C\" __global__ void second(float *p) { p[threadIdx.x] = 2; }\n";
  const std::vector<std::string> both = {"first", "second"}, more = {"first", "third"};
  for (const char *name : {"sm_80", "sm_90", "sm_90a", "sm_120a"}) {
    SCOPED_TRACE(name);
    const Nvrtc::Result result = nvrtc->compile(source, "two.cu", name, {});
    ASSERT_TRUE(result.success) << result.log;
    const std::vector<uint8_t> &cubin = result.cubin;
    const CudaArchitecture own = *parseArchitecture(name), other = *parseArchitecture("sm_100");
    const Status status = checkDeviceImage("image", &own, cubin, both);
    EXPECT_TRUE(status.ok()) << status.text();
    expectFailure(checkDeviceImage("image", &own, cubin, more), StatusCode::integrity, {"'third' is missing"});
    expectFailure(checkDeviceImage("image", &other, cubin, both), StatusCode::integrity, {"expected sm_100"});
    expectFailure(checkDeviceImage("image", nullptr, cubin, both), StatusCode::integrity, {"machine 190"});
  }
}

} // namespace

} // namespace mmc::test

// What kernels call for mbarriers: ptx/calls.h.
#include "runtime/cuda/emulation/ops/Mbarrier.h"
#include "runtime/cuda/emulation/ptx/calls.h"

using namespace mmc::emu;

void mmcEmuMbarrierInit(void *mbarrier, unsigned count) {
  mbarrier::initialise(*scheduler::current(), mbarrier, count, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierInvalidate(void *mbarrier) { mbarrier::invalidate(*scheduler::current(), mbarrier, MMC_EMU_SOURCE); }

void mmcEmuMbarrierExpect(void *mbarrier, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.count = 0;
  arrival.transactions = bytes;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArrive(void *mbarrier, unsigned count) {
  mbarrier::Arrival arrival;
  arrival.count = count;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveExpect(void *mbarrier, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.transactions = bytes;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveRemote(void *remote, unsigned count) {
  mbarrier::Arrival arrival;
  arrival.count = count;
  arrival.scope = Scope::cluster;
  arrival.remote = true;
  mbarrier::arrive(*scheduler::current(), remote, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveExpectRemote(void *remote, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.transactions = bytes;
  arrival.scope = Scope::cluster;
  arrival.remote = true;
  mbarrier::arrive(*scheduler::current(), remote, arrival, MMC_EMU_SOURCE);
}

unsigned mmcEmuMbarrierTest(void *mbarrier, unsigned parity, unsigned scope) {
  return mbarrier::testParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), MMC_EMU_SOURCE);
}

unsigned mmcEmuMbarrierTry(void *mbarrier, unsigned parity, unsigned scope) {
  // The hardware may give up at any time: some seeds let it, and the caller's loop must be able to take that.
  const uint64_t source = MMC_EMU_SOURCE;
  if (scheduler::oneIn(4))
    return mbarrier::testParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), source);
  mbarrier::waitParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), source);
  return 1;
}

void mmcEmuMbarrierWait(void *mbarrier, unsigned parity, unsigned scope) {
  mbarrier::waitParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), MMC_EMU_SOURCE);
}

void mmcEmuFenceMbarrierInit() { mbarrier::fenceInitialisation(*scheduler::current()); }

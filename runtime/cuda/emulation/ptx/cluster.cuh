// Host twin of device/ptx/cluster.cuh: an address of the cluster is the place in the other block's window.
#pragma once

#include "ptx/launch.cuh"

struct ClusterAddress {
  void *place;
};
MMC_DEVICE ClusterAddress operator+(ClusterAddress address, u32 bytes) {
  return {static_cast<u8 *>(address.place) + bytes};
}
MMC_DEVICE ClusterAddress mapToRank(const void *shared, u32 rank) { return {mmcEmuMapToRank(shared, rank)}; }

template <class T> MMC_DEVICE T remoteLoad(ClusterAddress address) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16, "remote accesses move 4, 8 or 16 bytes");
  T value;
  mmcEmuRemoteLoad(&value, address.place, sizeof(T));
  return value;
}
template <class T> MMC_DEVICE void remoteStore(ClusterAddress address, T value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16, "remote accesses move 4, 8 or 16 bytes");
  mmcEmuRemoteStore(address.place, &value, sizeof(T));
}

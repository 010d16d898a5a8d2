// archs: sm_80 sm_90a sm_120a
// Every operation of ptx/atomics.cuh with every type, order and scope that it has, so that both readers compile it.
#include "ptx/atomics.cuh"

template <Order order, Scope scope> MMC_DEVICE void integers(u32 *a, s32 *b, u64 *c, float *d) {
  *a += fetchAdd<order, scope>(a, 1u) + fetchMin<order, scope>(a, 1u) + fetchMax<order, scope>(a, 1u);
  *a += fetchAnd<order, scope>(a, 1u) + fetchOr<order, scope>(a, 1u) + exchange<order, scope>(a, 1u);
  *a += fetchIncrement<order, scope>(a, 1u) + compareExchange<order, scope>(a, 1u, 2u);
  *b += fetchAdd<order, scope>(b, 1) + fetchMin<order, scope>(b, 1) + fetchMax<order, scope>(b, 1);
  *b += exchange<order, scope>(b, 1) + compareExchange<order, scope>(b, 1, 2);
  *c += fetchAdd<order, scope>(c, u64(1)) + fetchMin<order, scope>(c, u64(1)) + fetchMax<order, scope>(c, u64(1));
  *c += fetchAnd<order, scope>(c, u64(1)) + fetchOr<order, scope>(c, u64(1)) + exchange<order, scope>(c, u64(1));
  *c += compareExchange<order, scope>(c, u64(1), u64(2));
  *d += fetchAdd<order, scope>(d, 1.0f) + exchange<order, scope>(d, 1.0f);
}

template <Order order, Scope scope> MMC_DEVICE void reductions(u32 *a, s32 *b, u64 *c, float *d) {
  reduceAdd<order, scope>(a, 1u);
  reduceMax<order, scope>(a, 1u);
  reduceOr<order, scope>(a, 1u);
  reduceAdd<order, scope>(b, 1);
  reduceMax<order, scope>(b, 1);
  reduceAdd<order, scope>(c, u64(1));
  reduceMax<order, scope>(c, u64(1));
  reduceOr<order, scope>(c, u64(1));
  reduceAdd<order, scope>(d, 1.0f);
}

template <Scope scope> MMC_DEVICE void orders(u32 *a, s32 *b, u64 *c, float *d) {
  integers<Order::relaxed, scope>(a, b, c, d);
  integers<Order::acquire, scope>(a, b, c, d);
  integers<Order::release, scope>(a, b, c, d);
  integers<Order::acquireRelease, scope>(a, b, c, d);
  reductions<Order::relaxed, scope>(a, b, c, d);
  reductions<Order::release, scope>(a, b, c, d);
}

template <u32 architecture> MMC_DEVICE void clusterOrders(u32 *a, s32 *b, u64 *c, float *d) {
  if constexpr (architecture >= 900) orders<Scope::cluster>(a, b, c, d);
}

MMC_KERNEL(32, 1) void primitives_atomics(u32 *a, s32 *b, u64 *c, float *d) {
  orders<Scope::block>(a, b, c, d);
  orders<Scope::device>(a, b, c, d);
  orders<Scope::system>(a, b, c, d);
  clusterOrders<kArchitecture>(a, b, c, d);
  *a += fetchAdd(a, 1u);
}
MMC_EXPORT(primitives_atomics, 32, 1)

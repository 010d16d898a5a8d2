// Parts of instructions that depend on template parameters, as constant strings: operands of the assembly constraint
// "C".
//
// Invariant: used by headers of device/ptx only; the emulation passes numbers instead.
#pragma once

#include "ptx/launch.cuh"

template <Scope scope> struct ScopeText;
template <> struct ScopeText<Scope::block> {
  static constexpr char kText[] = "cta";
};
template <> struct ScopeText<Scope::cluster> {
  static constexpr char kText[] = "cluster";
};
template <> struct ScopeText<Scope::device> {
  static constexpr char kText[] = "gpu";
};
template <> struct ScopeText<Scope::system> {
  static constexpr char kText[] = "sys";
};

template <Order order> struct OrderText;
template <> struct OrderText<Order::relaxed> {
  static constexpr char kText[] = "relaxed";
};
template <> struct OrderText<Order::acquire> {
  static constexpr char kText[] = "acquire";
};
template <> struct OrderText<Order::release> {
  static constexpr char kText[] = "release";
};
template <> struct OrderText<Order::acquireRelease> {
  static constexpr char kText[] = "acq_rel";
};

template <class T> struct ElementText;
template <> struct ElementText<f16> {
  static constexpr char kText[] = "f16";
};
template <> struct ElementText<bf16> {
  static constexpr char kText[] = "bf16";
};
template <> struct ElementText<e4m3> {
  static constexpr char kText[] = "e4m3";
};
template <> struct ElementText<e5m2> {
  static constexpr char kText[] = "e5m2";
};
template <> struct ElementText<s8> {
  static constexpr char kText[] = "s8";
};
template <> struct ElementText<u8> {
  static constexpr char kText[] = "u8";
};

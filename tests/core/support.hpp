#pragma once

#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>

#include <functional>
#include <stdexcept>

#include <doctest/doctest.h>
#include <pthread.h>

namespace gradtape::inline v0::test {

/// y = 2x; counts how often its rule is applied.
struct Counted {
  static constexpr std::string_view name = "counted";
  int* calls;
  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const {
    for (std::int64_t i = 0; i < x.numel(); ++i) out.data<double>()[i] = 2 * x.data<double>()[i];
  }
  auto vjp(Wrt<0>, Grad g) const {
    ++*calls;
    return g * 2;
  }
};
inline Tensor counted(const Tensor& x, int& calls) { return record(Counted{&calls}, x); }

/// y = 2x; its rule throws while `armed`.
struct Failing {
  static constexpr std::string_view name = "failing";
  bool* armed;
  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { Counted{nullptr}.value(out, x); }
  auto vjp(Wrt<0>, Grad g) const {
    if (*armed) throw std::runtime_error("no gradient today");
    return g * 2;
  }
};
inline Tensor failing(const Tensor& x, bool& armed) { return record(Failing{&armed}, x); }

/// A leaf of one f64 number.
inline Tensor scalar_leaf(double value) { return parameter(tensor(value, {.dtype = f64})); }

/// Runs `f` on a thread with a stack of 256 KiB.
inline void on_small_stack(std::function<void()> f) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
  pthread_t thread;
  const auto run = [](void* given) -> void* {
    (*static_cast<std::function<void()>*>(given))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &f) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace gradtape::inline v0::test

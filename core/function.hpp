#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace gradtape::inline v0 {

namespace detail {

/// An owned object of a class with a virtual destructor and `T* clone() const`: copies copy it. (<memory> and
/// <functional> would make up a fifth of the time that a small program takes to compile.)
template <class T>
class Owned {
 public:
  explicit Owned(T* object) noexcept : object_(object) {}
  Owned(const Owned& other) : object_(other.object_ ? other.object_->clone() : nullptr) {}
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() { delete object_; }
  T* operator->() const { return object_; }
  T* get() const { return object_; }

 private:
  T* object_;
};

}  // namespace detail

template <class Signature>
class Function;

/// Anything that can be called as R(Args…), owned; copies copy it.
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  /// Takes `f` over.
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, const F&, Args...>)
  Function(F f) : held_(new Held<F>(std::move(f))) {}
  R operator()(Args... args) const { return held_->call(std::forward<Args>(args)...); }  ///< calls it

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R call(Args... args) const = 0;
    virtual Base* clone() const = 0;
  };
  template <class F>
  struct Held final : Base {
    explicit Held(F given) : f(std::move(given)) {}
    R call(Args... args) const override { return f(std::forward<Args>(args)...); }
    Base* clone() const override { return new Held(f); }
    F f;
  };
  detail::Owned<Base> held_;
};

template <class Signature>
class FunctionRef;

/// Refers to anything that can be called as R(Args…), and does not own it: a parameter type, where std::function would
/// allocate.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  /// Refers to `f`, which must outlive this.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
  FunctionRef(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(&f))), call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}

  /// Calls it.
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace gradtape::inline v0

#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/core/shape.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace gradtape::inline v0 {

/// Is told what an op knows beside its inputs, such as axes or a slope. An op says it in a member,
///   void attributes(AttributeVisitor& v) const { v("axes", axes); v("keepdims", keepdims); }
class AttributeVisitor {
 public:
  virtual ~AttributeVisitor() = default;
  virtual void operator()(std::string_view name, double value) = 0;                          ///< a number
  virtual void operator()(std::string_view name, std::span<const std::int64_t> values) = 0;  ///< whole numbers
};

/// A call of an op that has been made.
struct Call {
  std::string_view op;                                 ///< its name
  std::span<const Array* const> inputs;                ///< the values of what it was given
  const Array& output;                                 ///< what it made
  const void* self = nullptr;                          ///< the op
  void (*visit)(const void*, AttributeVisitor&) = {};  ///< names its attributes

  /// Names the attributes, if there are any.
  void attributes(AttributeVisitor& visitor) const {
    if (visit) visit(self, visitor);
  }
};

/// Sees every call of an op on its thread while an Observation of it lives, recorded or not.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void called(const Call& call) = 0;  ///< after the op has made its output
};

/// Lets an observer see the ops of this thread while it lives, or none; another one sees nothing meanwhile.
class [[nodiscard]] Observation {
 public:
  explicit Observation(Observer* observer) : before_(detail::thread_state.observer) { set(observer); }  ///< or nullptr
  ~Observation() { set(before_); }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

 private:
  static void set(Observer* observer) {
    detail::thread_state.observer = observer;
    detail::thread_state.watch();
  }
  Observer* before_;
};

namespace detail {

/// Shows a call to who watches: DetectAnomaly, an observer.
void watch(const Call& call);

template <class Op>
[[gnu::cold, gnu::noinline]] void watch(const Op& op, const Array& output, std::span<const Array* const> inputs) {
  Call call{Op::name, inputs, output};
  if constexpr (requires(AttributeVisitor& visitor) { op.attributes(visitor); }) {
    call.self = &op;
    call.visit = [](const void* self, AttributeVisitor& visitor) { static_cast<const Op*>(self)->attributes(visitor); };
  }
  watch(call);
}

/// What `f` makes of the inputs. An observer sees one call of `op` in the place of those that f makes.
template <class Op, class F>
auto as_one(const Op& op, std::initializer_list<const Array*> inputs, F f) {
  if (!thread_state.observer) return f();
  const auto result = [&] {
    const Observation none(nullptr);
    return f();
  }();
  watch(op, result.array(), std::span(inputs.begin(), inputs.size()));
  return result;
}

}  // namespace detail
}  // namespace gradtape::inline v0

#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/pool.hpp>

#include <span>
#include <string_view>

namespace gradtape::inline v0 {

class Node;

/// Whether ops and sweeps on this thread look for numbers that are not finite, while it lives.
class AnomalyMode {
 public:
  /// Looks if `on`.
  explicit AnomalyMode(bool on) : before_(detail::thread_state.detect_anomaly) { set(on); }
  ~AnomalyMode() { set(before_); }
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  static void set(bool on) {
    detail::thread_state.detect_anomaly = on;
    detail::thread_state.watch();
  }
  bool before_;
};

/// While it lives, every op on this thread checks its value, and every sweep the gradients (or tangents) that rules
/// give: the first number that is not finite, where all that the op was given is, throws AnomalyError. It names the op,
/// the number and its place, and the ranges of what went in. For debugging: each array is read once more, and gradients
/// are not added up in place.
///   const gt::DetectAnomaly guard;
///   loss(net(x)).backward();
class [[nodiscard]] DetectAnomaly : public AnomalyMode {
 public:
  DetectAnomaly() : AnomalyMode(true) {}
};

namespace detail {

/// Whether every element is; integers are.
bool is_finite(const Array& array);

// These throw AnomalyError if something is not finite:
/// the value of an op whose inputs are,
void check_value(std::string_view op, const Array& output, std::span<const Array* const> inputs);
/// the sum of the gradients of the output of `node`, each of which is,
void check_sum(const Node& node);
/// the gradient that the rule of `node` gives an input; `given` is that of its output,
void check_gradient(const Node& node, const Array& given, int input, const Array& gradient);
/// the tangent that it gives.
void check_tangent(const Node& node, const Array& tangent);

}  // namespace detail
}  // namespace gradtape::inline v0

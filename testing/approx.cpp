#include <gradtape/testing/approx.hpp>

#include <cmath>
#include <ostream>

#include <fmt/format.h>

namespace gradtape::inline v0 {
Approx::Approx(Tensor expected)
    : expected_(std::move(expected)),
      rtol_(expected_.dtype() == f32 ? 1e-5 : 1e-10),
      atol_(expected_.dtype() == f32 ? 1e-6 : 1e-12) {}

Approx Approx::rtol(double value) const {
  Approx out = *this;
  out.rtol_ = value;
  return out;
}

Approx Approx::atol(double value) const {
  Approx out = *this;
  out.atol_ = value;
  return out;
}

std::string Approx::difference(const Tensor& actual) const {
  if (actual.shape() != expected_.shape() || actual.dtype() != expected_.dtype())
    return fmt::format("is {} {}, expected {} {}", to_string(actual.dtype()), to_string(actual.shape()),
                       to_string(expected_.dtype()), to_string(expected_.shape()));
  const Array a = packed(actual.array()), e = packed(expected_.array());
  return with_type(a.dtype(), [&]<class T>(std::type_identity<T>) {
    std::int64_t wrong = 0, worst = 0;
    double largest = -1;
    for (std::int64_t i = 0; i < a.numel(); ++i) {
      const auto x = static_cast<double>(a.data<T>()[i]), y = static_cast<double>(e.data<T>()[i]);
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      const double error = std::abs(x - y);
      if (is_floating(a.dtype()) && std::isfinite(y) && error <= atol_ + rtol_ * std::abs(y)) continue;
      ++wrong;
      const double relative = std::isnan(error) || std::isinf(error) ? HUGE_VAL : error / (atol_ + rtol_ * std::abs(y));
      if (relative > largest) largest = relative, worst = i;
    }
    if (wrong == 0) return std::string();
    return fmt::format("{} of {} elements differ; worst at {}: is {}, expected {} (rtol {}, atol {})", wrong, a.numel(),
                       index_string(a.shape(), worst), a.data<T>()[worst], e.data<T>()[worst], rtol_, atol_);
  });
}

bool Approx::matches(const Tensor& actual) const {
  difference_ = difference(actual);
  return difference_.empty();
}

std::ostream& operator<<(std::ostream& out, const Approx& approx) {
  out << "approx(" << to_string(approx.expected_) << ')';
  if (!approx.difference_.empty()) out << "\n  " << approx.difference_;
  return out;
}

}  // namespace gradtape::inline v0

#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/dropout.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/record.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// x · scale where the mask is set, else 0; the mask is boolean, so the tape keeps a byte an element.
struct Dropout {
  static constexpr std::string_view name = "dropout";
  static constexpr unsigned conditions = 0b10;
  double scale;
  auto value(auto x, auto mask) const { return where(mask != 0, x * scale, 0); }
  auto vjp(auto g, auto /*x*/, auto mask) const { return grads(where(mask != 0, g * scale, 0), NoGradient{}); }
};

}  // namespace

Tensor dropout(const Tensor& x, const DropoutOptions& options) {
  const double p = options.p;
  detail::check_floating("dropout", {&x.array()});
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("dropout: p is {}; expected 0 to 1", p));
  if (p == 0 || !options.training) return x;
  return elementwise(Dropout{detail::dropout_scale(p)}, x, bernoulli(1 - p, x.shape(), {.dtype = boolean}));
}

}  // namespace gradtape::inline v0

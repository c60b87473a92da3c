#include <gradtape/core/xtensor.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/record.hpp>

#include <fmt/format.h>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xoperation.hpp>
#include <xtensor/xview.hpp>

namespace gradtape {
namespace {

struct To {
  static constexpr std::string_view name = "to";
  Dtype from, dtype;

  Spec infer(const Shape& x) const { return {dtype, x}; }
  void value(const Array& out, const Array& x) const {
    with_type(dtype, [&]<class T>(std::type_identity<T>) {
      with_type(x.dtype(), [&]<class F>(std::type_identity<F>) {
        auto to = detail::xt_view<T>(out);
        if constexpr (std::is_same_v<T, bool>)
          xt::noalias(to) = xt::not_equal(detail::xt_view<const F>(x), F{0});
        else
          xt::noalias(to) = xt::cast<T>(detail::xt_view<const F>(x));
      });
    });
  }
  auto vjp(Wrt<0>, Grad g) const { return g.to(from); }
};

}  // namespace

Tensor Tensor::to(Dtype to) const {
  if (to == dtype()) return *this;
  if (is_floating(to) == is_floating(dtype())) return record(To{dtype(), to}, *this);
  return record(To{dtype(), to}, detach());  // no gradient through integers
}

Tensor one_hot(const Tensor& labels, std::int64_t classes) {
  if (labels.dtype() != i64) throw DtypeError(fmt::format("one_hot: labels are {}; expected i64", to_string(labels.dtype())));
  if (classes < 0) throw ValueError(fmt::format("one_hot: {} classes; expected at least 0", classes));
  detail::require_classes("one_hot", labels.array(), classes);
  Shape shape = labels.shape();
  shape.push_back(classes);
  const Array flat = reshaped(labels.array(), {labels.numel(), 1});
  const Array out = Array::make(default_dtype(), shape);
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    auto to = detail::xt_view<T>(reshaped(out, {labels.numel(), classes}));
    xt::noalias(to) = xt::cast<T>(xt::equal(detail::xt_view<const std::int64_t>(flat), xt::arange<std::int64_t>(classes)));
  });
  return Tensor(out);
}

}  // namespace gradtape

#include <gradtape/core/error.hpp>
#include <gradtape/core/strided.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/record.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct To {
  static constexpr std::string_view name = "to";
  Dtype from, dtype;

  Spec infer(const Shape& x) const { return {dtype, x}; }
  void value(const Array& out, const Array& x) const {
    with_type(dtype, [&]<class T>(std::type_identity<T>) {
      with_type(x.dtype(), [&]<class F>(std::type_identity<F>) {
        detail::for_each_pair<T, F>(out, x, [](T& to, F number) { to = number_cast<T>(number); });
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
  if (labels.dtype() != i64)
    throw DtypeError(fmt::format("one_hot: labels are {}; expected i64", to_string(labels.dtype())));
  if (classes < 0) throw ValueError(fmt::format("one_hot: {} classes; expected at least 0", classes));
  detail::require_classes("one_hot", labels.array(), classes);
  const Array flat = packed(labels.array());
  const Array out = Array::make(
      default_dtype(), detail::replace_axes("one_hot", labels.shape(), labels.rank(), labels.rank(), {classes}));
  fill(out, 0);
  with_floating("one_hot", out.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < flat.numel(); ++i) out.data<T>()[i * classes + flat.data<std::int64_t>()[i]] = T{1};
  });
  return Tensor(out);
}

}  // namespace gradtape::inline v0

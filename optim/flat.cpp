#include <gradtape/optim/flat.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <algorithm>
#include <type_traits>

namespace gradtape::inline v0::optim {

void append(std::vector<double>& to, const Array& from) {
  const Array a = packed(from);
  with_floating("optim", a.dtype(),
                [&]<class T>(std::type_identity<T>) { to.insert(to.end(), a.data<T>(), a.data<T>() + a.numel()); });
}

std::vector<double> flat_values(const std::vector<Tensor>& parameters) {
  std::vector<double> x;
  for (const Tensor& w : parameters) append(x, w.array());
  return x;
}

void assign_flat(const std::vector<Tensor>& parameters, const std::vector<double>& values) {
  const double* from = values.data();
  for (const Tensor& w : parameters) {
    Leaf& leaf = w.leaf();
    make_writable(leaf.value);
    const std::int64_t n = leaf.value.numel();
    with_floating("optim", leaf.dtype, [&]<class T>(std::type_identity<T>) {
      std::transform(from, from + n, leaf.value.data<T>(), [](double value) { return static_cast<T>(value); });
    });
    from += n;
  }
}

}  // namespace gradtape::inline v0::optim

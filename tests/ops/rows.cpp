#include <ostream>

#include <ops/rows.hpp>

namespace cases {
namespace {

std::vector<Rows::Make>& families() {
  static std::vector<Rows::Make> list;
  return list;
}

/// The same elements behind other strides: axes reversed, and in every second place of a larger array.
gt::Tensor strided(const gt::Tensor& x) {
  gt::Shape reversed, spaced;
  for (int axis = x.rank() - 1; axis >= 0; --axis) reversed.push_back(x.shape()[axis]);
  gt::Strides steps{};
  std::int64_t step = 2;
  for (int axis = 0; axis < x.rank(); ++axis) {
    steps[static_cast<std::size_t>(axis)] = step;
    step *= std::max<std::int64_t>(x.shape()[axis], 1);
  }
  spaced.push_back(step);
  const gt::Array room = gt::zeros(spaced, {.dtype = x.dtype()}).array();
  const gt::Array view = gt::Array::view(room, x.shape(), steps, x.numel() == 0 ? 0 : 1);
  gt::copy_elements(view, x.array());
  return gt::Tensor(view);
}

gt::Tensor value_and_gradients(const Call& call, const Tensors& x, Tensors& gradients) {
  Tensors leaves, wanted;
  for (const gt::Tensor& input : x) {
    // A leaf is packed; a view of its like is what the op then sees.
    leaves.push_back(gt::is_floating(input.dtype()) ? gt::parameter(input) : input);
    if (gt::is_floating(input.dtype())) wanted.push_back(leaves.back());
  }
  const gt::Tensor y = call.f(leaves);
  if (y.requires_grad()) gradients = gt::grad(gt::sum(y * y), wanted, {.allow_unused = true});
  return y.detach();
}

void check(const Row& row, const Call& call) {
  const gt::RandomStream random(31);
  const Tensors x = call.inputs();
  Tensors views, gradients;
  for (const gt::Tensor& input : x) views.push_back(strided(input));
  const gt::Tensor y = row.order > 0 ? value_and_gradients(call, x, gradients) : call.f(x);
  CHECK(call.f(views) == gt::approx(y));
  if (row.order == 0) return;
  CHECK(gt::GradCheck(call.f, x).order(row.order));

  const auto through_views = [&](std::span<const gt::Tensor> in) {
    // Twice transposed through a copy: values arrive strided, gradients go back through the view.
    Tensors seen;
    for (const gt::Tensor& input : in) {
      const bool movable = input.rank() >= 2;
      seen.push_back(movable ? gt::transpose(gt::contiguous(gt::transpose(input, {0, -1})), {0, -1}) : input);
    }
    return call.f(seen);
  };
  Tensors of_views;
  CHECK(value_and_gradients({call.what, call.inputs, through_views}, x, of_views) == gt::approx(y));
  REQUIRE(of_views.size() == gradients.size());
  for (std::size_t i = 0; i < gradients.size(); ++i) CHECK(of_views[i] == gt::approx(gradients[i]));
}

}  // namespace

Rows::Rows(Make make) : make_(make) { families().push_back(make); }

void Rows::check() const {
  for (const Row& row : make_()) {
    CAPTURE(row.op);
    for (const Call& call : row.calls) {
      CAPTURE(call.what);
      cases::check(row, call);
    }
    for (const Misuse& misuse : row.misuse)
      CHECK(message_of<gt::Error>([&] {
              misuse.call();
              return 0;
            }) == misuse.message);
  }
}

std::vector<std::vector<Row>> Rows::all() {
  std::vector<std::vector<Row>> out;
  for (const Make make : families()) out.push_back(make());
  return out;
}

}  // namespace cases

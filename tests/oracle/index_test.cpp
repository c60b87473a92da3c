#include <limits>

#include "case.hpp"

namespace {

using namespace oracle;

/// x, and indices of one axis of it in a shape of the same rank, no larger along the others.
struct Picked {
  gt::Tensor x, index;
  int axis;

  explicit Picked(Random& r) : x(r.any(r.filled_shape())), axis(r.axis(x)) {
    gt::Shape shape = x.shape();
    for (int a = 0; a < x.rank(); ++a) shape.set(a, r.integer(1, static_cast<int>(x.shape()[a])));
    shape.set(axis, r.dim());
    index = r.below(x.shape()[axis], shape);
  }
};

torch::Tensor rows_like(const torch::Tensor& ids, const torch::Tensor& data) {
  std::vector<std::int64_t> ones(static_cast<std::size_t>(data.dim()), 1);
  ones[0] = -1;
  return ids.reshape(ones).expand_as(data);
}

/// A reduction over segments, against scatter_reduce into a number that takes no part; 0 where there is nothing.
template <class F>
Maker segments(F ours, const char* reduce, double start = 0) {
  return [=](Random& r) {
    const gt::Tensor data = r.distinct(r.filled_shape());
    return call(
        {data, r.below(4, {data.shape()[0]})},
        [=](const gt::Tensor& x, const gt::Tensor& ids) { return ours(x, ids, 5); },
        [=](const torch::Tensor& x, const torch::Tensor& ids) {
          auto shape = x.sizes().vec();
          shape[0] = 5;
          const auto from = torch::full(shape, start, x.options());
          const auto y = from.scatter_reduce(0, rows_like(ids, x), x, reduce, false);
          return torch::where(y.isinf(), torch::zeros_like(y), y);
        });
  };
}

const Table indices = {
    {"take",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       const int axis = r.axis(x);
       return call(
           {x, r.below(x.shape()[axis], {r.dim()})},
           [=](const gt::Tensor& t, const gt::Tensor& i) { return gt::take(t, i, {.axis = axis}); },
           [=](const torch::Tensor& t, const torch::Tensor& i) { return t.index_select(axis, i); });
     }},
    {"gather",
     [](Random& r) {
       const Picked p(r);
       const int axis = p.axis;
       return call(
           {p.x, p.index}, [=](const gt::Tensor& t, const gt::Tensor& i) { return gt::gather(t, axis, i); },
           [=](const torch::Tensor& t, const torch::Tensor& i) { return t.gather(axis, i); });
     }},
    {"take_along_axis",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape();
       gt::Shape of_x = shape, of_index = shape;
       const int axis = r.integer(0, shape.rank() - 1);
       for (int a = 0; a < shape.rank(); ++a)
         if (r.coin()) (r.coin() ? of_x : of_index).set(a, 1);
       of_index.set(axis, r.dim());
       return call(
           {r.any(of_x), r.below(of_x[axis], of_index)},
           [=](const gt::Tensor& t, const gt::Tensor& i) { return gt::take_along_axis(t, i, {.axis = axis}); },
           [=](const torch::Tensor& t, const torch::Tensor& i) { return torch::take_along_dim(t, i, axis); });
     }},
    {"scatter_add",
     [](Random& r) {
       const Picked p(r);
       const int axis = p.axis;
       return call(
           {p.x, p.index, r.any(p.index.shape())},
           [=](const gt::Tensor& t, const gt::Tensor& i, const gt::Tensor& s) {
             return gt::scatter_add(t, axis, i, s);
           },
           [=](const torch::Tensor& t, const torch::Tensor& i, const torch::Tensor& s) {
             return t.scatter_add(axis, i, s);
           });
     }},
    {"index_add",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       const int axis = r.axis(x);
       gt::Shape source = x.shape();
       source.set(axis, r.dim());
       return call(
           {x, r.below(x.shape()[axis], {source[axis]}), r.any(source)},
           [=](const gt::Tensor& t, const gt::Tensor& i, const gt::Tensor& s) { return gt::index_add(t, axis, i, s); },
           [=](const torch::Tensor& t, const torch::Tensor& i, const torch::Tensor& s) {
             return t.index_add(axis, i, s);
           });
     }},
    {"masked_fill",
     [](Random& r) {
       const gt::Shape shape = r.shape(0);
       return call(
           {r.any(shape), r.below(2, r.stretchable(shape)), r.any({})},
           [](const gt::Tensor& t, const gt::Tensor& m, const gt::Tensor& v) { return gt::masked_fill(t, m == 1, v); },
           [](const torch::Tensor& t, const torch::Tensor& m, const torch::Tensor& v) {
             return t.masked_fill(m == 1, v);
           });
     }},
    {"embedding",
     [](Random& r) {
       const int n = r.integer(1, 20), padding = r.coin() ? r.integer(0, n - 1) : -1;
       return call(
           {r.any({n, r.dim()}), r.below(n, r.shape(0))},
           [=](const gt::Tensor& w, const gt::Tensor& i) {
             return padding < 0 ? gt::embedding(w, i) : gt::embedding(w, i, {.padding_idx = padding});
           },
           [=](const torch::Tensor& w, const torch::Tensor& i) { return torch::embedding(w, i, padding); });
     }},
    {"segment_sum", segments(gt::segment_sum, "sum")},
    {"segment_mean", segments(gt::segment_mean, "mean")},
    // libtorch shares the gradient with a start that is as large as an element
    {"segment_max", segments(gt::segment_max, "amax", -std::numeric_limits<double>::infinity())},
};

}  // namespace

TEST_CASE("oracle: indexing agrees with libtorch") { compare(indices); }

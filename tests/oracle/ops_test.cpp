#include "random.hpp"

#include "libtorch.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace oracle;

/// One call of an op, in both libraries.
struct Case {
  std::vector<gt::Tensor> inputs;
  std::function<gt::Tensor(const std::vector<gt::Tensor>&)> ours;
  std::function<torch::Tensor(const std::vector<torch::Tensor>&)> theirs;
};

template <std::size_t N, class F>
auto spread(F f) {
  return [f](const auto& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(x[I]...); }(std::make_index_sequence<N>{});
  };
}

template <std::size_t N, class Ours, class Theirs>
Case call(const gt::Tensor (&inputs)[N], Ours ours, Theirs theirs) {
  return {{std::begin(inputs), std::end(inputs)}, spread<N>(ours), spread<N>(theirs)};
}

/// The libraries share so many names that most ops are one text, read by argument-dependent lookup.
template <std::size_t N, class F>
Case call(const gt::Tensor (&inputs)[N], F both) {
  return call(inputs, both, both);
}

using Maker = std::function<Case(Random&)>;
using Table = std::vector<std::pair<std::string, Maker>>;

template <class F>
Maker unary(gt::Tensor (Random::*sample)(const gt::Shape&), F f) {
  return [=](Random& r) { return call({(r.*sample)(r.shape(0))}, f); };
}

template <class F>
Maker binary(gt::Tensor (Random::*first)(const gt::Shape&), gt::Tensor (Random::*second)(const gt::Shape&), F f) {
  return [=](Random& r) {
    const gt::Shape shape = r.shape(0), small = r.stretchable(shape);
    return r.coin() ? call({(r.*first)(shape), (r.*second)(small)}, f)
                    : call({(r.*first)(small), (r.*second)(shape)}, f);
  };
}

template <class Ours, class Theirs>
Maker reduction(gt::Tensor (Random::*sample)(const gt::Shape&), gt::Shape (Random::*shape)(int, int), Ours ours,
                Theirs theirs) {
  return [=](Random& r) {
    const gt::Tensor x = (r.*sample)((r.*shape)(1, 4));
    gt::ReduceOptions options{.axes = {}, .keepdims = r.coin()};
    std::vector<std::int64_t> axes;
    for (int axis = 0; axis < x.rank(); ++axis)
      if (r.coin() || (axes.empty() && axis + 1 == x.rank())) {
        options.axes.push_back(axis - (r.coin() ? x.rank() : 0));
        axes.push_back(axis);
      }
    return call(
        {x}, [=](const gt::Tensor& t) { return ours(t, options); },
        [=](const torch::Tensor& t) { return theirs(t, axes, options.keepdims); });
  };
}

constexpr auto any = &Random::any, positive = &Random::positive, tied = &Random::tied, kink = &Random::away_from_zero;

const Table elementwise = {
    {"neg", unary(any, [](const auto& x) { return -x; })},
    {"exp", unary(any, [](const auto& x) { return exp(x); })},
    {"log", unary(positive, [](const auto& x) { return log(x); })},
    {"sqrt", unary(positive, [](const auto& x) { return sqrt(x); })},
    {"square", unary(any, [](const auto& x) { return square(x); })},
    {"sin", unary(any, [](const auto& x) { return sin(x); })},
    {"cos", unary(any, [](const auto& x) { return cos(x); })},
    {"abs", unary(kink, [](const auto& x) { return abs(x); })},
    {"sigmoid", unary(any, [](const auto& x) { return sigmoid(x); })},
    {"tanh", unary(any, [](const auto& x) { return tanh(x); })},
    {"relu", unary(kink, [](const auto& x) { return relu(x); })},
    {"numbers", unary(kink, [](const auto& x) { return 2 * x - 3 / x + (1 - x) / 4; })},
    {"pow of a number", unary(any, [](const auto& x) { return pow(1.5, x); })},
    {"pow by a number", unary(any, [](const auto& x) { return pow(x, 3); })},
    {"add", binary(any, any, [](const auto& a, const auto& b) { return a + b; })},
    {"sub", binary(any, any, [](const auto& a, const auto& b) { return a - b; })},
    {"mul", binary(any, any, [](const auto& a, const auto& b) { return a * b; })},
    {"div", binary(any, kink, [](const auto& a, const auto& b) { return a / b; })},
    {"pow", binary(positive, any, [](const auto& a, const auto& b) { return pow(a, b); })},
    {"maximum", binary(tied, tied, [](const auto& a, const auto& b) { return maximum(a, b); })},
    {"minimum", binary(tied, tied, [](const auto& a, const auto& b) { return minimum(a, b); })},
    {"where", binary(any, any, [](const auto& a, const auto& b) { return where(a > b, a, b * b); })},
    {"==", binary(tied, tied, [](const auto& a, const auto& b) { return a == b; })},
    {"!=", binary(tied, tied, [](const auto& a, const auto& b) { return a != b; })},
    {"<", binary(tied, tied, [](const auto& a, const auto& b) { return a < b; })},
    {"<=", binary(tied, tied, [](const auto& a, const auto& b) { return a <= b; })},
    {">", binary(tied, tied, [](const auto& a, const auto& b) { return a > b; })},
    {">=", binary(tied, tied, [](const auto& a, const auto& b) { return a >= b; })},
};

const Table structured = {
    {"sum",
     reduction(any, &Random::shape, gt::sum, [](const auto& x, auto& axes, bool keep) { return x.sum(axes, keep); })},
    {"mean", reduction(any, &Random::filled_shape, gt::mean,
                       [](const auto& x, auto& axes, bool keep) { return x.mean(axes, keep); })},
    {"max", reduction(&Random::distinct, &Random::filled_shape, gt::max,
                      [](const auto& x, auto& axes, bool keep) { return x.amax(axes, keep); })},
    {"max of ties", reduction(tied, &Random::filled_shape, gt::max,
                              [](const auto& x, auto& axes, bool keep) { return x.amax(axes, keep); })},
    {"argmax",
     [](Random& r) {
       const gt::Tensor x = r.distinct(r.filled_shape());
       const int axis = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::argmax(t, {.axis = axis}); },
           [=](const torch::Tensor& t) { return t.argmax(axis); });
     }},
    {"softmax",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::softmax(t, {axis}); },
           [=](const torch::Tensor& t) { return t.softmax(axis); });
     }},
    {"log_softmax",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::log_softmax(t, {axis}); },
           [=](const torch::Tensor& t) { return t.log_softmax(axis); });
     }},
    {"matmul",
     [](Random& r) {
       const std::int64_t m = r.dim(), k = r.dim(), n = r.dim();
       return call({r.any({m, k}), r.any({k, n})}, [](const auto& a, const auto& b) { return matmul(a, b); });
     }},
    {"matmul, large",
     [](Random& r) {
       const int m = r.integer(60, 90), k = r.integer(60, 90), n = r.integer(60, 90);
       return call({r.any({m, k}), r.any({k, n})}, [](const auto& a, const auto& b) { return matmul(a, b); });
     }},
    {"linear",
     [](Random& r) {
       gt::Shape shape = r.shape(1, 3);
       const std::int64_t in = shape[-1], out = r.dim();
       return call({r.any(shape), r.any({out, in}), r.any({out})},
                   [](const auto& x, const auto& w, const auto& b) { return linear(x, w, b); });
     }},
    {"mse_loss",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape(0);
       return call({r.any(shape), r.any(shape)}, [](const auto& y, const auto& t) { return mse_loss(y, t); });
     }},
    {"cross_entropy",
     [](Random& r) {
       const int n = r.integer(1, 20), classes = r.integer(1, 20);
       return call({r.any({n, classes}), r.below(classes, {n})}, gt::cross_entropy,
                   [](const torch::Tensor& x, const torch::Tensor& y) { return torch::cross_entropy_loss(x, y); });
     }},
    {"transpose",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(2));
       const int a = r.axis(x), b = r.axis(x);
       return call(
           {x},
           [=](const gt::Tensor& t) {
             return gt::transpose(t, {a, b});
           },
           [=](const torch::Tensor& t) { return t.transpose(a, b); });
     }},
    {"reshape",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(2));
       std::vector<std::int64_t> merged = sizes(x.shape());
       const int at = r.integer(0, x.rank() - 2);
       merged[static_cast<std::size_t>(at)] *= x.shape()[at + 1];
       merged.erase(merged.begin() + at + 1);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::reshape(t, gt::Shape(merged)); },
           [=](const torch::Tensor& t) { return t.reshape(merged); });
     }},
    {"slice",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x), begin = r.integer(-9, 9), end = r.integer(-9, 20);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::slice(t, {.axis = axis, .begin = begin, .end = end}); },
           [=](const torch::Tensor& t) { return t.slice(axis, begin, end); });
     }},
    {"indexing", [](Random& r) { return call({r.any(r.filled_shape(2))}, [](const auto& x) { return x[-1][0]; }); }},
    {"broadcast_to",
     [](Random& r) {
       const gt::Shape shape = r.shape();
       return call(
           {r.any(r.stretchable(shape))}, [=](const gt::Tensor& t) { return gt::broadcast_to(t, shape); },
           [=](const torch::Tensor& t) { return t.broadcast_to(sizes(shape)); });
     }},
    {"contiguous",
     [](Random& r) {
       return call({r.any(r.shape(0))}, gt::contiguous, [](const torch::Tensor& t) { return t.contiguous(); });
     }},
    {"to",
     [](Random& r) {
       return call(
           {r.any(r.shape(0))}, [](const gt::Tensor& t) { return t.to(gt::f64); },
           [](const torch::Tensor& t) { return t.to(torch::kFloat64); });
     }},
    {"take",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       return call({x, r.below(x.shape()[0], {r.dim()})}, gt::take,
                   [](const torch::Tensor& t, const torch::Tensor& rows) { return t.index_select(0, rows); });
     }},
    {"one_hot",
     [](Random& r) {
       return call(
           {r.below(5, r.shape(0))}, [](const gt::Tensor& t) { return gt::one_hot(t, 5); },
           [](const torch::Tensor& t) { return torch::one_hot(t, 5).to(torch::kFloat32); });
     }},
};

std::vector<gt::Tensor> vjp(const Case& c, const gt::Tensor& g) {
  const auto f = [&](const auto&... x) { return c.ours({x...}); };
  const auto list = [](auto array) { return std::vector<gt::Tensor>(array.begin(), array.end()); };
  const auto& x = c.inputs;
  if (x.size() == 1) return list(gt::vjp(f, {x[0]}, g));
  if (x.size() == 2) return list(gt::vjp(f, {x[0], x[1]}, g));
  return list(gt::vjp(f, {x[0], x[1], x[2]}, g));
}

void compare(const Case& c, Random& r) {
  std::vector<torch::Tensor> inputs, floating;
  for (const gt::Tensor& x : c.inputs) {
    inputs.push_back(to_torch(x));
    if (gt::is_floating(x.dtype())) floating.push_back(inputs.back().set_requires_grad(true));
  }
  const gt::Tensor y = c.ours(c.inputs);
  const torch::Tensor expected = c.theirs(inputs);
  check_equal(y, expected);
  if (!expected.requires_grad()) return;

  const gt::Tensor g = r.any(y.shape()).to(y.dtype());
  auto gradients = torch::autograd::grad({expected}, floating, {to_torch(g)}, {}, false, true);
  const std::vector<gt::Tensor> ours = vjp(c, g);
  for (std::size_t i = 0, next = 0; i < c.inputs.size(); ++i) {
    if (!gt::is_floating(c.inputs[i].dtype())) continue;
    const torch::Tensor& theirs = gradients[next++];
    check_equal(ours[i], theirs.defined() ? theirs : torch::zeros_like(inputs[i]));
  }
}

void compare(const Table& table) {
  constexpr unsigned cases = 8;
  for (const auto& [name, make] : table)
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (unsigned i = 0; i < cases; ++i) {
        Random random(i, dtype, i == 0);
        const Case c = make(random);
        std::string shapes;
        for (const gt::Tensor& x : c.inputs) shapes += to_string(x.shape()) + " ";
        INFO(name << ", case " << i << ": " << shapes << to_string(dtype));
        compare(c, random);
      }
}

}  // namespace

TEST_CASE("oracle: elementwise ops agree with libtorch") { compare(elementwise); }
TEST_CASE("oracle: structured ops agree with libtorch") { compare(structured); }

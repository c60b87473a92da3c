#include "case.hpp"

namespace {

using namespace oracle;

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

}  // namespace

TEST_CASE("oracle: structured ops agree with libtorch") { compare(structured); }

#include "case.hpp"

namespace {

using namespace oracle;

const Table structured = {
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
};

}  // namespace

TEST_CASE("oracle: structured ops agree with libtorch") { compare(structured); }

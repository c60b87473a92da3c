#include "case.hpp"

namespace {

using namespace oracle;

const Table joins = {
    {"concatenate",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x);
       gt::Shape other = x.shape();
       other.set(axis, r.integer(0, 5));
       return call(
           {x, r.any(other), r.any(x.shape())},
           [=](const gt::Tensor& a, const gt::Tensor& b, const gt::Tensor& c) {
             return gt::concatenate({a, b, c, a}, {.axis = axis});
           },
           [=](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& c) {
             return torch::cat({a, b, c, a}, axis);
           });
     }},
    {"stack",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(0)), y = r.any(x.shape());
       const int axis = r.integer(-x.rank() - 1, x.rank());
       return call(
           {x, y},
           [=](const gt::Tensor& a, const gt::Tensor& b) {
             return gt::stack({a, b}, {.axis = axis});
           },
           [=](const torch::Tensor& a, const torch::Tensor& b) {
             return torch::stack({a, b}, axis);
           });
     }},
    {"split",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       const int axis = r.axis(x), size = r.integer(1, 6);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::split(t, size, {.axis = axis}).back(); },
           [=](const torch::Tensor& t) { return t.split(size, axis).back(); });
     }},
    {"chunk",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       const int axis = r.axis(x), n = r.integer(1, 6);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::chunk(t, n, {.axis = axis}).back(); },
           [=](const torch::Tensor& t) { return t.chunk(n, axis).back(); });
     }},
    {"repeat",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x), n = r.integer(0, 3);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::repeat(t, n, {.axis = axis}); },
           [=](const torch::Tensor& t) { return t.repeat_interleave(n, axis); });
     }},
    {"tile",
     [](Random& r) {
       const int a = r.integer(0, 3), b = r.integer(1, 3);
       return call(
           {r.any(r.shape(0))},
           [=](const gt::Tensor& t) {
             return gt::tile(t, {a, b});
           },
           [=](const torch::Tensor& t) {
             return t.tile({a, b});
           });
     }},
    {"roll",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x), n = r.integer(-20, 20);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::roll(t, n, {.axes = axis}); },
           [=](const torch::Tensor& t) { return t.roll(n, axis); });
     }},
    {"pad",
     [](Random& r) {
       const int before = r.integer(0, 3), after = r.integer(0, 3);
       return call(
           {r.any(r.shape())},
           [=](const gt::Tensor& t) {
             return gt::pad(t, {{before, after}}, {.value = 0.5});
           },
           [=](const torch::Tensor& t) {
             return torch::constant_pad_nd(t, {before, after}, 0.5);
           });
     }},
    {"pad, reflect",
     [](Random& r) {
       return call(
           {r.any({r.integer(1, 3), r.integer(3, 9), r.integer(2, 9)})},
           [](const gt::Tensor& t) {
             return gt::pad(t, {{2, 1}, {0, 1}}, {.mode = gt::PadMode::reflect});
           },
           [](const torch::Tensor& t) {
             return torch::reflection_pad2d(t, {0, 1, 2, 1});
           });
     }},
    {"pad, replicate",
     [](Random& r) {
       return call(
           {r.any({r.integer(1, 3), r.integer(1, 9), r.integer(1, 9)})},
           [](const gt::Tensor& t) {
             return gt::pad(t, {{2, 1}, {0, 4}}, {.mode = gt::PadMode::replicate});
           },
           [](const torch::Tensor& t) {
             return torch::replication_pad2d(t, {0, 4, 2, 1});
           });
     }},
    {"meshgrid",
     [](Random& r) {
       return call(
           {r.any({r.dim()}), r.any({r.dim()})},
           [](const gt::Tensor& a, const gt::Tensor& b) {
             return gt::meshgrid({a, b})[0];
           },
           [](const torch::Tensor& a, const torch::Tensor& b) {
             return torch::meshgrid({a, b}, "ij")[0];
           });
     }},
};

const Table conversions = {
    {"to",
     [](Random& r) {
       return call(
           {r.any(r.shape(0))}, [](const gt::Tensor& t) { return t.to(gt::f64); },
           [](const torch::Tensor& t) { return t.to(torch::kFloat64); });
     }},
    {"to i64",
     [](Random& r) {
       return call(
           {r.any(r.shape(0)) * 10}, [](const gt::Tensor& t) { return t.to(gt::i64); },
           [](const torch::Tensor& t) { return t.to(torch::kInt64); });
     }},
    {"one_hot",
     [](Random& r) {
       return call(
           {r.below(5, r.shape(0))}, [](const gt::Tensor& t) { return gt::one_hot(t, 5); },
           [](const torch::Tensor& t) { return torch::one_hot(t, 5).to(torch::kFloat32); });
     }},
    {"linspace",
     [](Random& r) {
       const int n = r.integer(0, 40);
       const gt::Dtype dtype = r.any({}).dtype();
       return call(
           {r.any({})}, [=](const gt::Tensor&) { return gt::linspace(-0.3, 1.7, n, {.dtype = dtype}); },
           [=](const torch::Tensor& t) { return torch::linspace(-0.3, 1.7, n, t.scalar_type()); });
     }},
};

}  // namespace

TEST_CASE("oracle: joins agree with libtorch") { compare(joins); }
TEST_CASE("oracle: conversions agree with libtorch") { compare(conversions); }

#include "case.hpp"

namespace {

using namespace oracle;

const Table views = {
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
    {"swapaxes",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int a = r.axis(x), b = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::swapaxes(t, a, b); },
           [=](const torch::Tensor& t) { return t.swapaxes(a, b); });
     }},
    {"permute",
     [](Random& r) {
       return call(
           {r.any(r.shape(3, 3))},
           [](const gt::Tensor& t) {
             return gt::permute(t, {2, 0, -2});
           },
           [](const torch::Tensor& t) {
             return t.permute({2, 0, -2});
           });
     }},
    {"moveaxis",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(2));
       const int a = r.axis(x), b = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::moveaxis(t, a, b); },
           [=](const torch::Tensor& t) { return t.moveaxis(a, b); });
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
    {"flatten",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(0));
       const int a = x.rank() == 0 ? 0 : r.integer(0, x.rank() - 1), b = x.rank() == 0 ? 0 : r.integer(a, x.rank() - 1);
       return call(
           {x},
           [=](const gt::Tensor& t) {
             return gt::flatten(t, {a, b});
           },
           [=](const torch::Tensor& t) { return t.flatten(a, b); });
     }},
    {"squeeze",
     [](Random& r) {
       return call(
           {r.any(r.shape(0))}, [](const gt::Tensor& t) { return gt::squeeze(t); },
           [](const torch::Tensor& t) { return t.squeeze(); });
     }},
    {"unsqueeze",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(0));
       const int axis = r.integer(-x.rank() - 1, x.rank());
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::unsqueeze(t, axis); },
           [=](const torch::Tensor& t) { return t.unsqueeze(axis); });
     }},
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
    {"slice",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x), begin = r.integer(-9, 9), end = r.integer(-9, 20), step = r.integer(1, 3);
       return call(
           {x},
           [=](const gt::Tensor& t) { return gt::slice(t, {.axis = axis, .begin = begin, .end = end, .step = step}); },
           [=](const torch::Tensor& t) { return t.slice(axis, begin, end, step); });
     }},
    {"indexing", [](Random& r) { return call({r.any(r.filled_shape(2))}, [](const auto& x) { return x[-1][0]; }); }},
    {"flip",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape());
       const int axis = r.axis(x);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::flip(t, axis); },
           [=](const torch::Tensor& t) { return t.flip({axis}); });
     }},
    {"unfold",
     [](Random& r) {
       const gt::Tensor x = r.any(r.filled_shape());
       const int axis = r.axis(x), size = r.integer(1, static_cast<int>(x.shape()[axis])), step = r.integer(1, 3);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::unfold(t, axis, size, step); },
           [=](const torch::Tensor& t) { return t.unfold(axis, size, step); });
     }},
    {"diagonal",
     [](Random& r) {
       const gt::Tensor x = r.any(r.shape(3, 3));
       const int offset = r.integer(-4, 4);
       return call(
           {x}, [=](const gt::Tensor& t) { return gt::diagonal(t, {.offset = offset, .axis1 = 2, .axis2 = 0}); },
           [=](const torch::Tensor& t) { return t.diagonal(offset, 2, 0); });
     }},
    {"diag of a vector",
     [](Random& r) {
       const int offset = r.integer(-4, 4);
       return call(
           {r.any({r.dim()})}, [=](const gt::Tensor& t) { return gt::diag(t, {.offset = offset}); },
           [=](const torch::Tensor& t) { return t.diag(offset); });
     }},
    {"tril",
     [](Random& r) {
       const int diagonal = r.integer(-4, 4);
       return call(
           {r.any(r.shape(2))}, [=](const gt::Tensor& t) { return gt::tril(t, {.diagonal = diagonal}); },
           [=](const torch::Tensor& t) { return t.tril(diagonal); });
     }},
    {"triu",
     [](Random& r) {
       const int diagonal = r.integer(-4, 4);
       return call(
           {r.any(r.shape(2))}, [=](const gt::Tensor& t) { return gt::triu(t, {.diagonal = diagonal}); },
           [=](const torch::Tensor& t) { return t.triu(diagonal); });
     }},
};

}  // namespace

TEST_CASE("oracle: views agree with libtorch") { compare(views); }

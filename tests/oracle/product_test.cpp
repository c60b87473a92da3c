#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "case.hpp"

namespace {

using namespace oracle;

/// An expression whose letters get random sizes.
Maker einsum(const std::string& expression) {
  return [=](Random& r) {
    std::array<std::int64_t, 128> size{};
    std::vector<gt::Tensor> operands;
    gt::Shape shape;
    for (const char c : expression.substr(0, expression.find('-')) + ",") {
      if (c == ',') {
        operands.push_back(r.any(shape));
        shape = {};
      } else {
        std::int64_t& n = size[static_cast<std::size_t>(c)];
        if (n == 0) n = r.integer(1, 6);
        shape.push_back(n);
      }
    }
    return Case{operands, [=](const std::vector<gt::Tensor>& x) { return gt::einsum(expression, x); },
                [=](const std::vector<torch::Tensor>& x) { return torch::einsum(expression, x); }};
  };
}

const Table products = {
    {"outer",
     [](Random& r) {
       return call({r.any({r.dim()}), r.any({r.dim()})}, [](const auto& a, const auto& b) { return outer(a, b); });
     }},
    {"dot",
     [](Random& r) {
       const std::int64_t n = r.dim();
       return call({r.any({n}), r.any({n})}, [](const auto& a, const auto& b) { return dot(a, b); });
     }},
    {"tensordot",
     [](Random& r) {
       const std::int64_t i = r.dim(), j = r.integer(1, 5), k = r.integer(1, 5), l = r.dim();
       return call(
           {r.any({j, i, k}), r.any({k, l, j})},
           [](const gt::Tensor& a, const gt::Tensor& b) {
             return gt::tensordot(a, b, {.axes_a = {0, -1}, .axes_b = {2, 0}});
           },
           [](const torch::Tensor& a, const torch::Tensor& b) {
             return torch::tensordot(a, b, {0, -1}, {2, 0});
           });
     }},
    {"matmul of batches",
     [](Random& r) {
       const std::int64_t m = r.dim(), k = r.dim(), n = r.dim(), batch = r.integer(1, 4);
       return call({r.any({r.coin() ? batch : 1, 3, m, k}), r.any({batch, 1, k, n})},
                   [](const auto& a, const auto& b) { return matmul(a, b); });
     }},
    {"matmul of a vector",
     [](Random& r) {
       const std::int64_t k = r.dim(), n = r.dim();
       return call({r.any({k}), r.any({2, k, n})}, [](const auto& a, const auto& b) { return matmul(a, b); });
     }},
    {"einsum, product", einsum("ij,jk->ik")},
    {"einsum, batches", einsum("bij,bjk->bik")},
    {"einsum, trace", einsum("ii->")},
    {"einsum, diagonal", einsum("iij->ij")},
    {"einsum, three", einsum("ij,jkl,lm->imk")},
    {"einsum, sum", einsum("ijk->j")},
    {"einsum, bilinear", einsum("bi,oij,bj->bo")},
};

}  // namespace

TEST_CASE("oracle: products agree with libtorch") { compare(products); }

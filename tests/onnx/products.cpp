#include "node.hpp"

namespace suite {
namespace {

Outputs gemm(const Node& n) {
  const gt::Tensor a = n[0], b = n[1];
  const gt::Tensor product = n.number("alpha", 1) * gt::matmul(n.flag("transA", false) ? gt::transpose(a) : a,
                                                               n.flag("transB", false) ? gt::transpose(b) : b);
  const double beta = n.number("beta", 1);
  return n.has(2) ? product + beta * n[2] : product;
}

Outputs einsum(const Node& n) {
  std::vector<gt::Tensor> operands;
  for (std::size_t i = 0; i < n.size(); ++i) operands.push_back(n[i]);
  return gt::einsum(n.text("equation", ""), operands);
}

}  // namespace

Table products() {
  return {
      {"Det", unary(gt::det)},
      {"Einsum", einsum},
      {"Gemm", gemm},
      {"MatMul", binary(gt::matmul)},
  };
}

}  // namespace suite

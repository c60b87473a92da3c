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

Outputs matmul(const Node& n) {
  if (n[0].rank() != 2 || n[1].rank() != 2) throw Skip{"batched"};
  return gt::matmul(n[0], n[1]);
}

}  // namespace

Table products() {
  return {
      {"Gemm", gemm},
      {"MatMul", matmul},
  };
}

}  // namespace suite

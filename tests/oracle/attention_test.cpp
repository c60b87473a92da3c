#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "libtorch.hpp"

namespace {

namespace gt = oracle::gt;
using oracle::check_equal, oracle::to_torch;

gt::Tensor random(const gt::Shape& shape, gt::Dtype dtype) {
  return gt::uniform(shape, {.low = -1, .high = 1, .dtype = gt::f64}).to(dtype);
}

/// libtorch's modules take the sequence first.
torch::Tensor sequence_first(const torch::Tensor& x) { return x.transpose(0, 1); }

/// Gives both modules the same random parameters, by name.
template <class Ours, class Theirs>
void copy_parameters(Ours& ours, Theirs& theirs, gt::Dtype dtype) {
  ours.to(dtype);
  theirs->to(dtype == gt::f64 ? torch::kFloat64 : torch::kFloat32);
  auto named = theirs->named_parameters();
  const torch::NoGradGuard off;
  REQUIRE(named.size() == ours.named_parameters().size());
  for (const auto& [name, parameter] : ours.named_parameters()) {
    parameter.assign(random(parameter.shape(), dtype));
    named[name].copy_(to_torch(parameter));
  }
}

/// Values, and gradients of inputs and parameters.
template <class Ours, class Theirs>
void compare(const Ours& ours, Theirs& theirs, const std::vector<gt::Tensor>& x,
             const std::vector<torch::Tensor>& their_x, const gt::Tensor& y, const torch::Tensor& their_y) {
  check_equal(y, sequence_first(their_y));
  const gt::Tensor g = random(y.shape(), y.dtype());
  gt::sum(y * g).backward();
  (sequence_first(their_y) * to_torch(g)).sum().backward();
  for (std::size_t i = 0; i < x.size(); ++i) check_equal(x[i].grad(), their_x[i].grad());
  for (const auto& [name, parameter] : ours.named_parameters()) {
    INFO(name);
    check_equal(parameter.grad(), theirs->named_parameters()[name].grad());
  }
}

/// Leaves of some shapes in both libraries.
std::pair<std::vector<gt::Tensor>, std::vector<torch::Tensor>> leaves(const std::vector<gt::Shape>& shapes,
                                                                      gt::Dtype dtype) {
  std::pair<std::vector<gt::Tensor>, std::vector<torch::Tensor>> out;
  for (const gt::Shape& shape : shapes) {
    out.first.push_back(gt::parameter(random(shape, dtype)));
    out.second.push_back(to_torch(out.first.back()).set_requires_grad(true));
  }
  return out;
}

/// Keys that are there (2, 5); libtorch marks the others.
gt::Tensor keys() { return gt::tensor({{1., 1., 1., 0., 0.}, {1., 0., 1., 1., 1.}}) == 1; }

/// The causal mask as libtorch's modules take it, which add a mask whatever its dtype.
torch::Tensor causal_mask(std::int64_t n, gt::Dtype dtype) {
  const auto hidden = -std::numeric_limits<double>::infinity();
  return to_torch(gt::where(gt::tri(n, {.dtype = gt::boolean}), gt::zeros({}, {.dtype = dtype}), hidden));
}

}  // namespace

TEST_CASE("oracle: MultiHeadAttention, of a sequence under a causal mask and across two with padding") {
  const gt::RandomStream stream(1);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    gt::nn::MultiHeadAttention ours(12, 3);
    torch::nn::MultiheadAttention theirs(12, 3);
    copy_parameters(ours, theirs, dtype);
    SUBCASE("across") {
      const auto [x, tx] = leaves({{2, 4, 12}, {2, 5, 12}, {2, 5, 12}}, dtype);
      const auto expected = theirs->forward(sequence_first(tx[0]), sequence_first(tx[1]), sequence_first(tx[2]),
                                            to_torch(gt::logical_not(keys())));
      compare(ours, theirs, x, tx, ours(x[0], x[1], x[2], {.key_mask = keys()}), std::get<0>(expected));
    }
    SUBCASE("causal") {
      const auto [x, tx] = leaves({{2, 70, 12}}, dtype);
      const auto in = sequence_first(tx[0]);
      const auto expected = theirs->forward(in, in, in, {}, true, causal_mask(70, dtype));
      compare(ours, theirs, x, tx, ours(x[0], x[0], x[0], {.causal = true}), std::get<0>(expected));
    }
  }
}

TEST_CASE("oracle: TransformerEncoderLayer") {
  const gt::RandomStream stream(2);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const bool relu : {true, false}) {
      gt::nn::TransformerEncoderLayer ours(
          12, 3, {.dim_feedforward = 20, .dropout = 0, .activation = relu ? gt::nn::Activation(gt::relu) : gt::gelu});
      auto options = torch::nn::TransformerEncoderLayerOptions(12, 3).dim_feedforward(20).dropout(0);
      if (!relu) options.activation(torch::kGELU);
      torch::nn::TransformerEncoderLayer theirs(options);
      copy_parameters(ours, theirs, dtype);
      const auto [x, tx] = leaves({{2, 5, 12}}, dtype);
      const auto expected =
          theirs->forward(sequence_first(tx[0]), causal_mask(5, dtype), to_torch(gt::logical_not(keys())));
      compare(ours, theirs, x, tx, ours(x[0], {.key_mask = keys(), .causal = true}), expected);
    }
}

TEST_CASE("oracle: TransformerDecoderLayer") {
  const gt::RandomStream stream(3);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    gt::nn::TransformerDecoderLayer ours(12, 3, {.dim_feedforward = 20, .dropout = 0});
    torch::nn::TransformerDecoderLayer theirs(
        torch::nn::TransformerDecoderLayerOptions(12, 3).dim_feedforward(20).dropout(0));
    copy_parameters(ours, theirs, dtype);
    const auto [x, tx] = leaves({{2, 4, 12}, {2, 5, 12}}, dtype);
    const auto expected = theirs->forward(sequence_first(tx[0]), sequence_first(tx[1]), causal_mask(4, dtype), {}, {},
                                          to_torch(gt::logical_not(keys())));
    compare(ours, theirs, x, tx, ours(x[0], x[1], {.self = {.causal = true}, .memory = {.key_mask = keys()}}),
            expected);
  }
}

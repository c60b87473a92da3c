#pragma once

#include <gradtape/nn/linear.hpp>
#include <gradtape/ops/create.hpp>

#include <string>
#include <vector>

namespace testing {

using Names = std::vector<std::string>;

/// The dotted names of a module's parameters.
inline Names names(const gradtape::nn::Module& module) {
  Names out;
  for (const auto& [name, tensor] : module.named_parameters()) out.push_back(name);
  return out;
}

/// 2 inputs, 3 outputs: (1, 1) -> (13, 27, 41).
inline gradtape::nn::Linear small_linear() {
  gradtape::nn::Linear layer(2, 3);
  layer.weight = gradtape::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  layer.bias = gradtape::tensor({10., 20., 30.});
  return layer;
}

}  // namespace testing

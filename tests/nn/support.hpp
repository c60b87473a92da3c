#pragma once

#include <gradtape/nn/linear.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/testing/gradcheck.hpp>

#include <span>
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

/// gradcheck of `call(module, x)` by x and by every parameter of the module, in f64.
template <class Module, class Call>
gradtape::GradCheck gradcheck_module(const Module& module, Call call, const std::vector<gradtape::Tensor>& x) {
  struct Put : gradtape::nn::Visitor {
    explicit Put(std::span<const gradtape::Tensor> given) : next(given) {}
    void parameter(const std::string&, gradtape::nn::Parameter& member) override {
      static_cast<gradtape::Tensor&>(member) = next[0];  // itself, not its values
      next = next.subspan(1);
    }
    std::span<const gradtape::Tensor> next;
  };
  auto inputs = module.parameters();
  inputs.insert(inputs.end(), x.begin(), x.end());
  return gradtape::GradCheck(
      [module, call](std::span<const gradtape::Tensor> in) {
        Module copy = module;
        Put put(in);
        copy.visit(put);
        return call(copy, put.next);
      },
      inputs);
}

/// The same of a module that takes one tensor.
template <class Module>
gradtape::GradCheck gradcheck_module(const Module& module, const gradtape::Tensor& x) {
  return gradcheck_module(module, [](const Module& f, std::span<const gradtape::Tensor> in) { return f(in[0]); }, {x});
}

/// 2 inputs, 3 outputs: (1, 1) -> (13, 27, 41).
inline gradtape::nn::Linear small_linear() {
  gradtape::nn::Linear layer(2, 3);
  layer.weight = gradtape::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  layer.bias = gradtape::tensor({10., 20., 30.});
  return layer;
}

}  // namespace testing

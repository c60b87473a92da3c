#include <gradtape/gradtape.hpp>

#include <string>

#include <doctest/doctest.h>

namespace gt = gradtape;
namespace nn = gradtape::nn;

TEST_CASE("activations as modules: their functions, with options, under their own names") {
  const auto x = gt::tensor({{-3., -0.5, 0., 2.}, {1., 4., -1., 0.25}});
  const auto check = [&](const auto& module, const gt::Tensor& expected, const char* name) {
    CHECK(gt::equal(module(x), expected));
    CHECK(module.description() == name);
    CHECK(module.parameters().empty());
  };
  check(nn::Hardswish(), gt::hardswish(x), "Hardswish");
  check(nn::LogSigmoid(), gt::log_sigmoid(x), "LogSigmoid");
  check(nn::Mish(), gt::mish(x), "Mish");
  check(nn::ReLU(), gt::relu(x), "ReLU");
  check(nn::SELU(), gt::selu(x), "SELU");
  check(nn::Sigmoid(), gt::sigmoid(x), "Sigmoid");
  check(nn::SiLU(), gt::silu(x), "SiLU");
  check(nn::Softsign(), gt::softsign(x), "Softsign");
  check(nn::Tanh(), gt::tanh(x), "Tanh");
  check(nn::ELU(), gt::elu(x), "ELU(alpha 1)");
  check(nn::ELU({.alpha = 2}), gt::elu(x, {.alpha = 2}), "ELU(alpha 2)");
  check(nn::GELU({.approximate = gt::GeluOptions::tanh}), gt::gelu(x, {.approximate = gt::GeluOptions::tanh}),
        "GELU(tanh)");
  check(nn::GELU(), gt::gelu(x), "GELU");
  check(nn::GLU({0}), gt::glu(x, {0}), "GLU(axis 0)");
  check(nn::Hardtanh({.max = 3}), gt::hardtanh(x, {.max = 3}), "Hardtanh(-1, 3)");
  check(nn::LeakyReLU({.negative_slope = 0.2}), gt::leaky_relu(x, {.negative_slope = 0.2}),
        "LeakyReLU(negative slope 0.2)");
  check(nn::LogSoftmax({0}), gt::log_softmax(x, {0}), "LogSoftmax(axis 0)");
  check(nn::Softmax({0}), gt::softmax(x, {0}), "Softmax(axis 0)");
  check(nn::Softplus({.beta = 2}), gt::softplus(x, {.beta = 2}), "Softplus(beta 2, threshold 20)");
}

TEST_CASE("activations as modules: in a Sequential") {
  const nn::Sequential net({nn::Linear(4, 3), nn::ReLU(), nn::LeakyReLU({.negative_slope = 0.5})});
  CHECK(net.named_parameters()[0].first == "0.weight");
  CHECK(nn::to_string(net).find("  1: ReLU  (0 parameters)") != std::string::npos);
}

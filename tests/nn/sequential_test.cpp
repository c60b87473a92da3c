#include <gradtape/gradtape.hpp>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Linear, gt::nn::MLP, gt::nn::Sequential;
using testing::Names, testing::names, testing::small_linear;

TEST_CASE("sequential: applies modules and functions in turn") {
  Linear last(3, 1);
  last.weight = gt::tensor({{1., -1., 2.}});
  last.bias = gt::tensor({0.5});
  const Sequential net({small_linear(), gt::relu, [](const gt::Tensor& x) { return x * 2; }, last, gt::softmax});
  CHECK(names(net) == Names{"0.weight", "0.bias", "3.weight", "3.bias"});
  // small_linear: (1, 1) -> (13, 27, 41) and (-20, 0) -> (-10, -40, -70); softmax of one number is 1
  CHECK(gt::equal(net(gt::tensor({{1., 1.}, {-20., 0.}})), gt::ones({2, 1})));
  const Sequential inner({small_linear(), gt::relu, last});
  CHECK(gt::equal(inner(gt::tensor({{1., 1.}, {-20., 0.}})), gt::tensor({{13. - 27 + 82 + 0.5}, {0.5}})));
}

TEST_CASE("sequential: nested and empty and grown") {
  Sequential net;
  const auto x = gt::tensor({{1., 2.}});
  CHECK(gt::equal(net(x), x));
  net.push_back(Sequential({small_linear(), gt::sigmoid}));
  net.push_back(MLP({3, 2}));
  CHECK(names(net) == Names{"0.0.weight", "0.0.bias", "1.layers.0.weight", "1.layers.0.bias"});
  CHECK(net(x).shape() == gt::Shape{1, 2});
}

TEST_CASE("sequential: a copy has parameters of its own") {
  const Sequential net({small_linear(), gt::relu});
  const auto x = gt::tensor({{1., 1.}});
  Sequential copy = net;
  copy.parameters()[0].assign(gt::zeros({3, 2}));
  CHECK(gt::equal(net(x), gt::tensor({{13., 27., 41.}})));
  CHECK(gt::equal(copy(x), gt::tensor({{10., 20., 30.}})));
}

TEST_CASE("sequential: assignment replaces steps of another type") {
  Sequential net({small_linear(), gt::relu});
  net = Sequential({[](const gt::Tensor& x) { return x * 2; }, small_linear()});
  CHECK(names(net) == Names{"1.weight", "1.bias"});
  CHECK(gt::equal(net(gt::tensor({{0.5, 0.5}})), gt::tensor({{13., 27., 41.}})));
}

TEST_CASE("sequential: conversion reaches its modules") {
  Sequential net({small_linear(), Sequential({Linear(3, 3), gt::tanh})});
  net.to(gt::f64);
  for (const gt::Tensor& w : net.parameters()) CHECK(w.dtype() == gt::f64);
  CHECK(net(gt::ones({1, 2}, {.dtype = gt::f64})).dtype() == gt::f64);
}

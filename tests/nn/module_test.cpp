#include <gradtape/gradtape.hpp>

#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../examples/support/gated_net.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Linear, gt::nn::Parameter, gt::nn::Buffer, gt::nn::Module, gt::nn::Visitor;

namespace {

/// A parameter, buffers of two dtypes and a module.
struct Scale : Module {
  gt::Tensor operator()(const gt::Tensor& x) const { return inner(x) * factor + offset; }
  void visit(Visitor& v) override { v("factor", factor), v("offset", offset), v("count", count), v("inner", inner); }

  Parameter factor{gt::tensor({2., 3.})};
  Buffer offset{gt::tensor({0.5, -0.5})}, count{gt::tensor({7}, {.dtype = gt::i64})};
  Linear inner{3, 2};
};

template <class T>
struct Twice : Module {
  void visit(Visitor& v) override { v("first", first), v("second", second); }
  T first, second;
};

using Names = std::vector<std::string>;
Names names(const std::vector<std::pair<std::string, gt::Tensor>>& named) {
  Names out;
  for (const auto& [name, tensor] : named) out.push_back(name);
  return out;
}

std::vector<std::vector<float>> values(const Module& module) {
  std::vector<std::vector<float>> out;
  for (const gt::Tensor& w : module.parameters()) out.push_back(w.to_vector<float>());
  return out;
}

void train(const auto& net, const gt::Tensor& x, const gt::Tensor& labels) {
  gt::optim::SGD opt(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  for (int step = 0; step < 5; ++step) {
    opt.zero_grad();
    gt::cross_entropy(net(x), labels).backward();
    opt.step();
  }
}

}  // namespace

TEST_CASE("module: dotted names in the order of visit") {
  const Twice<Scale> net;
  CHECK(names(net.named_parameters()) == Names{"first.factor", "first.inner.weight", "first.inner.bias",
                                               "second.factor", "second.inner.weight", "second.inner.bias"});
  CHECK(names(net.named_buffers()) == Names{"first.offset", "first.count", "second.offset", "second.count"});
  CHECK(net.parameters().size() == 6);
  CHECK(net.parameter_count() == 2 * (2 + 6 + 2));
}

TEST_CASE("module: parameters are handles on the leaves") {
  const Scale net;
  const gt::Tensor shared = net.factor;
  net.parameters()[0].assign(gt::tensor({5., 6.}));
  CHECK(gt::equal(net.factor, gt::tensor({5., 6.})));
  CHECK(gt::equal(shared, net.factor));
  CHECK(net.factor.is_leaf());
  CHECK_FALSE(net.offset.requires_grad());
}

TEST_CASE("module: what a user must not write does not compile") {
  CHECK_FALSE(std::is_convertible_v<const Parameter&, Parameter>);  // auto w = net.w
  CHECK(std::is_constructible_v<Parameter, const Parameter&>);
  CHECK(std::is_nothrow_move_constructible_v<Parameter>);
}

TEST_CASE("module: a copy has parameters and buffers of its own") {
  const Scale net;
  const auto before = values(net);
  Scale copy = net;
  CHECK(values(copy) == before);
  for (const gt::Tensor& w : copy.parameters()) w.assign(gt::full_like(w, 9));
  copy.offset = gt::tensor({8., 8.});
  CHECK(values(net) == before);
  CHECK(gt::equal(net.offset, gt::tensor({0.5, -0.5})));

  Scale moved = std::move(copy);
  CHECK(gt::equal(moved.factor, gt::tensor({9., 9.})));
}

TEST_CASE("module: a trained copy of a network leaves the original unchanged") {
  const gt::RandomStream random(3);
  const support::GatedNet net(2, 8, 2, 3);
  const auto x = gt::randn({16, 2}), labels = gt::permutation(16) == 0;
  const auto before = values(net);
  const auto output = net(x).detach();

  const support::GatedNet copy = net;
  CHECK(gt::equal(copy(x), output));
  train(copy, x, labels.to(gt::i64));

  CHECK(values(net) == before);
  CHECK(gt::equal(net(x), output));
  for (const gt::Tensor& w : net.parameters()) CHECK_FALSE(w.has_grad());
  const auto trained = values(copy);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(trained[i] != before[i]);
}

TEST_CASE("module: the gradients of the gated network of the examples") {
  const gt::RandomStream random(4);
  const gt::DefaultDtype precise(gt::f64);
  const support::GatedBlock block(3);
  CHECK(gt::gradcheck([&](const gt::Tensor& x) { return block(x); }, gt::randn({4, 3})));
}

TEST_CASE("module: assignment writes into the leaf that an optimizer holds") {
  Scale net;
  const Scale other;
  const gt::Tensor held = net.inner.weight;
  gt::optim::SGD opt(net.parameters(), {.lr = 1});

  net = other;
  CHECK(gt::equal(held, other.inner.weight));
  net.factor = gt::tensor({1., 1.});
  CHECK(gt::equal(other.factor, gt::tensor({2., 3.})));
  net.inner.weight = Parameter(gt::zeros({2, 3}));
  CHECK(gt::equal(held, gt::zeros({2, 3})));

  gt::sum(net(gt::ones({1, 3}))).backward();
  opt.step();
  CHECK(gt::equal(net.inner.weight, gt::full({2, 3}, -1)));
  CHECK(gt::equal(held, net.inner.weight));
  CHECK_THROWS_WITH_AS(net.factor = gt::zeros({3}), "assign: the leaf is [2], the value [3]; the shapes must be equal",
                       gt::ShapeError);
}

TEST_CASE("module: assignment of a temporary writes into the leaves too, whatever holds the modules") {
  struct Layers : Module {
    void visit(Visitor& v) override { v("0", layers[0]); }
    std::vector<Linear> layers{Linear(2, 3)};
  };
  const auto check = [](auto net, const auto& other) {
    const auto held = net.parameters(), given = other.parameters();
    net = std::decay_t<decltype(other)>(other);
    for (std::size_t i = 0; i < held.size(); ++i) {
      CHECK(gt::equal(held[i], given[i]));
      held[i].assign(gt::full_like(held[i], 9));
      CHECK(gt::equal(net.parameters()[i], held[i]));
      CHECK_FALSE(gt::equal(given[i], held[i]));
    }
    net = other;
    for (std::size_t i = 0; i < held.size(); ++i) CHECK(gt::equal(held[i], given[i]));
  };
  const auto sequence = [] { return gt::nn::Sequential({Linear(2, 3), gt::relu, gt::nn::Sequential({Linear(3, 1)})}); };
  check(gt::nn::LSTM(3, 4), gt::nn::LSTM(3, 4));
  check(gt::nn::MLP({2, 3, 1}), gt::nn::MLP({2, 3, 1}));
  check(gt::nn::ModuleList<Linear>{Linear(2, 3)}, gt::nn::ModuleList<Linear>{Linear(2, 3)});
  check(sequence(), sequence());
  check(Layers(), Layers());
}

TEST_CASE("module: an optional parameter is set once and then written") {
  Parameter w;
  CHECK_FALSE(w.defined());
  w = gt::tensor({1.});
  CHECK(w.is_leaf());
  const gt::Tensor held = w;
  w = gt::tensor({2.});
  CHECK(held.item() == 2);
}

TEST_CASE("module: conversion keeps optimizers valid and drops gradients") {
  Scale net;
  gt::optim::SGD opt(net.parameters(), {.lr = 1});
  gt::sum(net(gt::ones({1, 3}))).backward();
  const auto before = values(net);
  net.to(gt::f64);
  for (const gt::Tensor& w : net.parameters()) {
    CHECK(w.dtype() == gt::f64);
    CHECK_FALSE(w.has_grad());
  }
  CHECK(net.offset.dtype() == gt::f64);
  CHECK(net.count.dtype() == gt::i64);  // only floating buffers follow
  const auto x = gt::ones({1, 3}, {.dtype = gt::f64});
  CHECK(net(x).dtype() == gt::f64);

  const gt::Tensor bias = net.inner.bias.detach();
  gt::sum(net(x)).backward();
  opt.step();
  CHECK(gt::equal(net.inner.bias, bias - gt::tensor({2., 3.}, {.dtype = gt::f64})));
  net.inner.bias.assign(bias);
  net.factor.assign(gt::tensor({2., 3.}, {.dtype = gt::f64}));
  net.to(gt::f32);
  CHECK(net.inner.bias.to_vector<float>() == before[2]);
  CHECK_THROWS_WITH_AS(net.to(gt::i64), "module: parameters are f32 or f64, not i64", gt::DtypeError);
}

TEST_CASE("module: training and evaluation mode reach all inside") {
  Twice<Scale> net;
  CHECK(net.training());
  CHECK(net.second.inner.training());
  net.eval();
  CHECK_FALSE(net.training());
  CHECK_FALSE(net.first.training());
  CHECK_FALSE(net.second.inner.training());
  const Twice<Scale> copy = net;
  CHECK_FALSE(copy.second.training());
  net.train();
  CHECK(net.training());
  CHECK(net.second.inner.training());
}

TEST_CASE("module: zero_grad") {
  const Scale net;
  gt::sum(net(gt::ones({1, 3}))).backward();
  for (const gt::Tensor& w : net.parameters()) CHECK(w.has_grad());
  net.zero_grad();
  for (const gt::Tensor& w : net.parameters()) CHECK_FALSE(w.has_grad());
}

TEST_CASE("module: printing") {
  const Scale net;
  const std::string scale =
      "  factor: parameter f32 [2]\n"
      "  offset: buffer f32 [2]\n"
      "  count: buffer i64 [1]\n"
      "  inner: Linear(3, 2)  (8 parameters)\n"
      "    weight: parameter f32 [2, 3]\n"
      "    bias: parameter f32 [2]\n";
  CHECK(gt::nn::to_string(net) == "Scale  (10 parameters)\n" + scale);
  std::ostringstream out;
  out << net;
  CHECK(out.str() == "Scale  (10 parameters)\n" + scale);
  CHECK(Twice<Scale>().description().starts_with("Twice<"));
  CHECK(gt::nn::to_string(gt::nn::MLP({2, 1})) ==
        "MLP  (3 parameters)\n"
        "  layers.0: Linear(2, 1)  (3 parameters)\n"
        "    weight: parameter f32 [1, 2]\n"
        "    bias: parameter f32 [1]\n");
}

TEST_CASE("threads: a module that is shared") {
  const Scale net;
  const auto x = gt::ones({4, 3});
  const auto expected = net(x).to_vector<float>();
  std::vector<std::vector<float>> got(3);
  {
    const gt::Share guard = gt::share(net);
    std::vector<std::thread> threads;
    for (auto& result : got)
      threads.emplace_back([&] {
        const gt::NoGrad off;
        for (int i = 0; i < 100; ++i) result = net(gt::ones({4, 3})).to_vector<float>();
      });
    for (std::thread& thread : threads) thread.join();
  }
  for (const auto& result : got) CHECK(result == expected);
}

#include <gradtape/gradtape.hpp>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Linear, gt::nn::ModuleList;
using testing::Names, testing::names, testing::small_linear;

namespace {

struct Net : gt::nn::Module {
  gt::Tensor operator()(gt::Tensor x) const {
    for (const Linear& layer : layers) x = gt::relu(layer(x));
    return x;
  }
  void visit(gt::nn::Visitor& v) override { v("layers", layers); }
  ModuleList<Linear> layers;
};

}  // namespace

TEST_CASE("module list: named by number, called one by one") {
  Net net;
  CHECK(net.layers.size() == 0);
  net.layers.push_back(small_linear());
  CHECK(net.layers.emplace_back(3, 1, gt::nn::LinearOptions{.bias = false}).weight.shape() == gt::Shape{1, 3});
  CHECK(names(net) == Names{"layers.0.weight", "layers.0.bias", "layers.1.weight"});
  net.layers[1].weight = gt::ones({1, 3});
  CHECK(net(gt::ones({1, 2})).item() == 13 + 27 + 41);
  CHECK(gt::nn::to_string(net).find("layers: ModuleList(2)  (12 parameters)") != std::string::npos);
  CHECK_THROWS_WITH_AS(net.layers[2], "ModuleList: index 2 is outside of 2 modules", gt::IndexError);
}

TEST_CASE("module list: holds copies, and modes reach inside") {
  const Linear one = small_linear();
  ModuleList<Linear> list{one, one};
  list[0].weight = gt::zeros({3, 2});
  CHECK(gt::equal(list[1].weight, one.weight));
  ModuleList<Linear> copy = list;
  copy[1].weight = gt::zeros({3, 2});
  CHECK(gt::equal(list[1].weight, one.weight));
  list.eval();
  CHECK_FALSE(list[1].training());
}

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::load_state, gt::State, gt::state_of;

namespace {

struct Numbers {
  bool flag = true;
  int small = -3;
  std::uint64_t large = std::numeric_limits<std::uint64_t>::max();
  float real = 0.1F;
  double precise = 0.1;
  std::vector<double> several = {1, 2};
  void visit(gt::StateVisitor& v) {
    v("flag", flag), v("small", small), v("large", large), v("real", real), v("precise", precise);
    v("several", several);
  }
};

/// Has a file or a thread, say: cannot be copied.
struct Fixed {
  Fixed() = default;
  Fixed(const Fixed&) = delete;
  Fixed& operator=(const Fixed&) = delete;
  gt::Tensor leaf = gt::parameter(gt::tensor({1., 2.})), constant = gt::tensor({3.}), none;
  void visit(gt::StateVisitor& v) { v("leaf", leaf), v("constant", constant), v("none", none); }
};

/// State that a function beside the type names.
struct Foreign {
  int n = 1;
};
void visit_state(Foreign& x, gt::StateVisitor& v) { v("n", x.n); }

std::vector<std::string> names(const State& state) {
  std::vector<std::string> out;
  for (const auto& [name, value] : state) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("state: numbers of every type") {
  const State state = state_of(Numbers());
  CHECK(names(state) == std::vector<std::string>{"flag", "small", "large", "real", "precise", "several"});
  for (const std::size_t whole : {0, 1, 2}) CHECK(state[whole].second.dtype() == gt::i64);
  for (const std::size_t real : {3, 4, 5}) CHECK(state[real].second.dtype() == gt::f64);
  Numbers other{false, 0, 0, 0, 0, {0, 0}};
  load_state(other, state);
  CHECK(other.flag);
  CHECK(other.small == -3);
  CHECK(other.large == std::numeric_limits<std::uint64_t>::max());
  CHECK(other.real == 0.1F);
  CHECK(other.precise == 0.1);
  CHECK(other.several == std::vector<double>{1, 2});
}

TEST_CASE("state: a number that its type cannot hold") {
  Numbers numbers;
  State state = state_of(numbers);
  state[0].second = gt::tensor(0).to(gt::i64);
  state[1].second = gt::tensor(1LL << 32).to(gt::i64);
  CHECK_THROWS_WITH_AS(load_state(numbers, state), "state: 4294967296 does not fit the type of small", gt::ValueError);
  CHECK(numbers.flag);
  CHECK(numbers.small == -3);
  state = state_of(numbers);
  state[0].second = gt::tensor(2).to(gt::i64);
  CHECK_THROWS_WITH_AS(load_state(numbers, state), "state: 2 does not fit the type of flag", gt::ValueError);
}

TEST_CASE("state: tensors, of something that cannot be copied") {
  Fixed first, second;
  first.leaf.assign(gt::tensor({5., 6.}));
  first.constant = gt::tensor({7.});
  const State state = state_of(first);
  CHECK(names(state) == std::vector<std::string>{"leaf", "constant"});
  first.leaf.assign(gt::tensor({0., 0.}));  // does not reach what was taken
  const gt::Tensor handle = second.leaf;
  load_state(second, state);
  CHECK(gt::equal(handle, gt::tensor({5., 6.})));
  CHECK(gt::equal(second.constant, gt::tensor({7.})));
  CHECK_FALSE(state[0].second.requires_grad());
}

TEST_CASE("state: nothing changes if an entry does not fit") {
  Fixed fixed;
  State state = state_of(fixed);
  state[0].second = gt::tensor({5., 6.});
  state[1].second = gt::tensor({5., 6.});
  CHECK_THROWS_WITH_AS(load_state(fixed, state, "here"),
                       "here: the state does not fit:\n  constant: f32 [2] instead of f32 [1]", gt::ValueError);
  CHECK(gt::equal(fixed.leaf, gt::tensor({1., 2.})));
  CHECK(gt::equal(fixed.constant, gt::tensor({3.})));
}

TEST_CASE("state: named by a function beside the type, and of parts") {
  struct Whole {
    Foreign part;
    gt::nn::Linear layer{1, 1};
    void visit(gt::StateVisitor& v) { v("part", part), v("layer", layer), v("random", gt::ThreadRandom()); }
  } whole, other;
  gt::manual_seed(3);
  whole.part.n = 4;
  const State state = state_of(whole);
  CHECK(names(state) ==
        std::vector<std::string>{"part.n", "layer.weight", "layer.bias", "random.seed", "random.position"});
  const gt::Tensor next = gt::randn({3});
  load_state(other, state);
  CHECK(other.part.n == 4);
  CHECK(gt::equal(other.layer.weight, whole.layer.weight));
  CHECK(gt::equal(gt::randn({3}), next));
}

TEST_CASE("state: an array stays if the visitor throws") {
  struct Thrower : gt::StateVisitor {
    void entry(const std::string&, gt::Tensor&) override { throw gt::ValueError("no"); }
  } thrower;
  gt::Array array = gt::tensor({1., 2.}).array();
  CHECK_THROWS_AS(thrower("a", array), gt::ValueError);
  CHECK(gt::equal(gt::Tensor(array), gt::tensor({1., 2.})));
}

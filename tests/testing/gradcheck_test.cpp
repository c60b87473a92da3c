#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>

#include <limits>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

namespace gt = gradtape;

namespace {

// Ops with one mistake each: every one of them has to be found.

struct OffByATenthOfAPercent {
  static constexpr std::string_view name = "off";
  auto value(auto x) const { return x * x * x; }
  auto vjp(auto g, auto x) const { return 3.003 * g * x * x; }
};

struct FactorMissing {
  static constexpr std::string_view name = "factor";
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto x) const { return g * x; }
};

struct SignWrong {
  static constexpr std::string_view name = "sign";
  auto value(auto x) const { return cos(x); }
  auto vjp(auto g, auto x) const { return g * sin(x); }
};

struct NotConnected {
  static constexpr std::string_view name = "unconnected";
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto /*x*/) const { return 0 * g; }
};

struct GivesNaN {
  static constexpr std::string_view name = "nan";
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto x) const { return g * x / (x - x); }
};

struct NotLinear {
  static constexpr std::string_view name = "nonlinear";
  auto value(auto x) const { return x + 0; }
  auto vjp(auto g, auto /*x*/) const { return g * g; }
};

// Right at first order, but the rule reads a constant where it should read x: order 2 is lost.
struct WrongAtSecondOrder {
  static constexpr std::string_view name = "second";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const {
    const gt::Tensor y = gt::square(gt::Tensor(x));
    gt::copy_elements(out, y.array());
  }
  auto vjp(gt::Wrt<0>, gt::Grad g, gt::In<0> x) const { return 2 * g * x.detach(); }
};

struct WrongShape {
  static constexpr std::string_view name = "shape";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const { gt::copy_elements(out, x); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::sum(g); }
};

struct WrongForwards {
  static constexpr std::string_view name = "forwards";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const {
    gt::copy_elements(out, gt::Tensor(2 * gt::Tensor(x)).array());
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return 2 * g; }
  auto jvp(gt::Wrt<0>, gt::Grad t) const { return 2.002 * t; }
};

struct LeavesAHole {
  static constexpr std::string_view name = "hole";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const {
    const gt::Array source = gt::packed(x);
    for (std::int64_t i = 0; i + 1 < out.numel(); ++i) out.data<double>()[i] = source.data<double>()[i];
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::Tensor(g); }
};

struct WritesItsInput {
  static constexpr std::string_view name = "writes";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const {
    gt::copy_elements(out, x);
    gt::fill(x, 1);
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::Tensor(g); }
};

struct Transposed {
  static constexpr std::string_view name = "transposed";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const { gt::copy_elements(out, x); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::transpose(g); }
};

// A bias whose gradient forgets the other rows.
struct SumForgotten {
  static constexpr std::string_view name = "bias";
  gt::Shape infer(const gt::Shape& x, const gt::Shape&) const { return x; }
  void value(const gt::Array& out, const gt::Array& x, const gt::Array& b) const {
    gt::copy_elements(out, (gt::Tensor(x) + gt::Tensor(b)).array());
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::Tensor(g); }
  auto vjp(gt::Wrt<1>, gt::Grad g) const { return g[0]; }
};

template <class Op>
gt::Tensor elementwise(const gt::Tensor& x) {
  return gt::elementwise(Op{}, x);
}

template <class Op>
gt::Tensor structured(const gt::Tensor& x) {
  return gt::record(Op{}, x);
}

std::string diagnosis(gt::GradCheck check) {
  CHECK_FALSE(static_cast<bool>(check));
  std::ostringstream out;
  out << check;
  return out.str();
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("gradcheck finds a forward rule that is not the backward one's") {
  auto check = gt::gradcheck([](const gt::Tensor& x) { return gt::record(WrongForwards{}, x); }, gt::uniform({5}));
  CHECK_FALSE(check);
  std::ostringstream out;
  out << check;
  CHECK(out.str().find("gradcheck failed at order 1: forwards and backwards the derivative differs") == 0);
}

TEST_CASE("gradcheck: right rules pass") {
  const auto x = gt::uniform({3, 4}), g = gt::uniform({3, 4}, {.dtype = gt::f64});
  CHECK(gt::gradcheck(gt::sigmoid, x));
  CHECK(gt::gradcheck(gt::relu, gt::away_from(0.0, {3, 4})));
  CHECK(gt::gradcheck(gt::tanh, x).order(3));
  CHECK(gt::gradcheck(gt::sum, x));
  CHECK(gt::gradcheck(gt::mul, {x, gt::uniform({4})}));
  CHECK(gt::gradcheck([](const gt::Tensor& a, const gt::Tensor& b) { return a * b + gt::exp(a); }, {x, g})
            .seed(5)
            .rtol(1e-6)
            .atol(1e-9));
  CHECK(gt::gradcheck(gt::take, {x, gt::tensor({1, 0, 1}, {.dtype = gt::i64})}));
  CHECK(gt::gradcheck(gt::square, gt::zeros({0, 3})));
}

TEST_CASE("gradcheck: a rule off by 0.1 % fails, and the guess names the factor") {
  const auto text =
      diagnosis(gt::gradcheck(elementwise<OffByATenthOfAPercent>, gt::uniform({3, 4}, {.low = 1, .high = 2})));
  contains(text, "failed at order 1");
  contains(text, "rule / differences = 1.001 everywhere: a constant factor");
}

TEST_CASE("gradcheck: a missing factor, a wrong sign, an unconnected input") {
  const auto x = gt::uniform({2, 3}, {.low = 1, .high = 2});
  contains(diagnosis(gt::gradcheck(elementwise<FactorMissing>, x)),
           "rule / differences = 0.500 everywhere: a constant factor is missing");
  contains(diagnosis(gt::gradcheck(elementwise<SignWrong>, x)), "rule / differences = -1 everywhere: a sign is wrong");
  contains(diagnosis(gt::gradcheck(elementwise<NotConnected>, x)),
           "rule = 0 everywhere: the input is not connected to the output");
}

TEST_CASE("gradcheck: the worst elements are listed with index, rule, differences and relative error") {
  const auto text = diagnosis(gt::gradcheck(elementwise<FactorMissing>, gt::tensor({{1., 2.}, {3., 4.}})));
  contains(text, "4 of 4 elements differ; the worst:");
  contains(text, "[0, 0]");
  contains(text, "5.000e-01");
  contains(text, "inputs: f32 [2, 2]; repeat with .seed(1).order(2)");
}

TEST_CASE("gradcheck: a rule wrong only at second order fails there") {
  const auto x = gt::uniform({3}, {.low = 1, .high = 2});
  CHECK(gt::gradcheck(structured<WrongAtSecondOrder>, x).order(1));
  contains(diagnosis(gt::gradcheck(structured<WrongAtSecondOrder>, x)), "failed at order 2");
}

TEST_CASE("gradcheck: a gradient of the wrong shape names op, input and both shapes") {
  contains(diagnosis(gt::gradcheck(structured<WrongShape>, gt::uniform({2, 2}))),
           "shape: the backward rule gave input 0 a gradient of f64 [], where the input is f64 [2, 2]");
}

TEST_CASE("gradcheck: NaN in a gradient or a value") {
  contains(diagnosis(gt::gradcheck(elementwise<GivesNaN>, gt::uniform({3}))), "the gradient of input 0 is not finite");
  contains(diagnosis(gt::gradcheck(gt::log, gt::tensor({-1.}))), "the value is not finite");
}

TEST_CASE("gradcheck: a rule that is not linear in the gradient") {
  contains(diagnosis(gt::gradcheck(elementwise<NotLinear>, gt::uniform({3}))), "not linear in the gradient");
}

TEST_CASE("gradcheck: an op that does not fill its output, or writes its input") {
  contains(diagnosis(gt::gradcheck(structured<LeavesAHole>, gt::uniform({3}))), "does not fill the output");
  contains(diagnosis(gt::gradcheck(structured<WritesItsInput>, gt::uniform({3}))), "changed its input 0");
}

TEST_CASE("gradcheck: a transpose and a forgotten sum are guessed") {
  contains(diagnosis(gt::gradcheck(structured<Transposed>, gt::uniform({3, 3}))),
           "transposed: an operand is the wrong way round");
  contains(
      diagnosis(gt::gradcheck([](const gt::Tensor& x, const gt::Tensor& b) { return gt::record(SumForgotten{}, x, b); },
                              {gt::uniform({4, 3}), gt::uniform({3})})),
      "is a sum over a broadcast axis missing?");
}

TEST_CASE("gradcheck: a captured f32 tensor is named as the cause") {
  const auto w = gt::uniform({3}, {.dtype = gt::f32});
  contains(diagnosis(gt::gradcheck([&](const gt::Tensor& x) { return x * w; }, gt::uniform({3}))),
           "does the function capture an f32 tensor?");
}

TEST_CASE("gradcheck: runs once, keeps the random stream and the default dtype, and leaves leaves alone") {
  int calls = 0;
  auto check = gt::gradcheck([&](const gt::Tensor& x) { return ++calls, gt::sin(x); }, gt::uniform({2}));
  CHECK(static_cast<bool>(check));
  const int once = calls;
  CHECK(static_cast<bool>(check));
  CHECK(calls == once);

  gt::manual_seed(3);
  const auto expected = gt::uniform({4});
  gt::manual_seed(3);
  const auto leaf = gt::parameter(gt::ones({2}));
  CHECK(gt::gradcheck(gt::sin, leaf));
  CHECK(gt::equal(gt::uniform({4}), expected));
  CHECK_FALSE(leaf.has_grad());
  CHECK(gt::default_dtype() == gt::f32);
}

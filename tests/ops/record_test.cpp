#include <gradtape/ops/extend.hpp>

#include <stdexcept>

#include "ops/cases.hpp"

namespace gt = gradtape;
using cases::message_of;
using gt::Array, gt::Shape, gt::Tensor;

namespace {

/// Calls `f` with each element of packed f64 arrays of one size.
template <class F>
void for_each_element(const Array& out, const Array& x, F f) {
  const Array from = gt::packed(x);
  for (std::int64_t i = 0; i < out.numel(); ++i) f(out.data<double>()[i], from.data<double>()[i]);
}

/// 2·x; can add to what is there, and counts how often it did.
struct Twice {
  static constexpr std::string_view name = "twice";
  int* added;

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x, double beta = 0) const {
    *added += beta != 0;
    for_each_element(out, x, [&](double& y, double v) { y = beta == 0 ? 2 * v : beta * y + 2 * v; });
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::tail(*this, g); }
};

/// The value of its input; what its rule does is up to each test.
struct Copy {
  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { gt::copy_elements(out, x); }
};

struct Throws : Copy {
  static constexpr std::string_view name = "throws";
  Tensor vjp(gt::Wrt<0>, gt::Grad) const { throw std::runtime_error("no rule today"); }
};

struct WrongShape : Copy {
  static constexpr std::string_view name = "wrong_shape";
  Tensor vjp(gt::Wrt<0>, gt::Grad g) const { return gt::sum(g); }
};

struct WrongProduct : Copy {
  static constexpr std::string_view name = "wrong_product";
  Tensor vjp(gt::Wrt<0>, gt::Grad g, gt::In<0> x) const { return gt::matmul(g, x); }
};

struct WrongDtype : Copy {
  static constexpr std::string_view name = "wrong_dtype";
  Tensor vjp(gt::Wrt<0>, gt::Grad g) const { return g.to(gt::f32); }
};

/// Its rule is a tail that makes two rows of one: too much for the gradient that it may be added to.
struct Doubled {
  static constexpr std::string_view name = "doubled";
  Shape infer(const Shape& x) const { return {2 * x[0]}; }
  void value(const Array& out, const Array&, double beta = 0) const {
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data<double>()[i] = beta;
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::Tensor(g); }
};
struct WrongTail : Copy {
  static constexpr std::string_view name = "wrong_tail";
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::tail(Doubled{}, g); }
};

/// x where the integer mask is set; no gradient for the mask.
struct Masked {
  static constexpr std::string_view name = "masked";
  Shape infer(const Shape& x, const Shape&) const { return x; }
  void value(const Array& out, const Array& x, const Array& mask) const {
    std::size_t i = 0;
    const Array on = gt::packed(mask);
    for_each_element(out, x, [&](double& y, double v) { y = on.data<std::int64_t>()[i++] ? v : 0; });
  }
  auto vjp(gt::Wrt<0>, gt::Grad g, gt::In<1> mask) const { return gt::record(*this, g, mask); }
  gt::NoGradient vjp(gt::Wrt<1>) const { return {}; }
};

/// eˣ, whose rule reads the output only.
struct Exp {
  static constexpr std::string_view name = "own_exp";
  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const {
    for_each_element(out, x, [](double& y, double v) { y = std::exp(v); });
  }
  auto vjp(gt::Wrt<0>, gt::Grad g, gt::Out y) const { return g * y; }
};

/// How many there are: an output of another dtype.
struct Count {
  static constexpr std::string_view name = "count";
  gt::Spec infer(const Shape&) const { return {gt::i64, {}}; }
  void value(const Array& out, const Array& x) const { gt::fill(out, static_cast<double>(x.numel())); }
  gt::NoGradient vjp(gt::Wrt<0>) const { return {}; }
};

Tensor leaf(const Shape& shape = {3}) { return gt::parameter(gt::ones(shape, {.dtype = gt::f64})); }

}  // namespace

TEST_CASE("an op of one's own has every order of derivative") {
  int added = 0;
  const auto twice = [&](const Tensor& x) { return gt::record(Twice{&added}, x); };
  cases::gradcheck_all([&](const Tensor& x) { return gt::square(twice(x)); }, cases::between(-1, 1));
  const auto own_exp = [](const Tensor& x) { return gt::record(Exp{}, x); };
  CHECK(gt::gradcheck(own_exp, gt::uniform({3, 4})).order(3));
  const Tensor mask = gt::tensor({1, 0, 1}, {.dtype = gt::i64});
  CHECK(gt::gradcheck([](const Tensor& x, const Tensor& m) { return gt::square(gt::record(Masked{}, x, m)); },
                      {gt::uniform({3}), mask}));
}

TEST_CASE("an op that can add is called straight into a gradient that is there") {
  int added = 0;
  const Tensor x = leaf();
  const auto three = [&] {
    return gt::sum(gt::record(Twice{&added}, x) + 10 * gt::record(Twice{&added}, x) +
                   100 * gt::record(Twice{&added}, x));
  };
  three().backward();
  CHECK(gt::equal(x.grad(), gt::full({3}, 222, {.dtype = gt::f64})));
  CHECK(added == 2);
  // While the sweep is recorded nothing is changed in place.
  added = 0;
  const auto [dx] = gt::grad(three(), {x}, {.create_graph = true});
  CHECK(gt::equal(dx, gt::full({3}, 222, {.dtype = gt::f64})));
  CHECK(added == 0);
}

TEST_CASE("adding in place never reaches a gradient that somebody holds") {
  int added = 0;
  const Tensor w = leaf(), seed = gt::full({3}, 5, {.dtype = gt::f64});
  const auto sweep = [&] {
    (gt::sum(gt::record(Twice{&added}, w)) + gt::sum(gt::record(Twice{&added}, w))).backward();
  };
  sweep();
  const Tensor held = w.grad();
  const std::vector<double> before = held.to_vector<double>();
  sweep();
  CHECK(held.to_vector<double>() == before);
  CHECK(w.grad().to_vector<double>() == std::vector<double>{8, 8, 8});
  // Nor the gradient that a sweep starts with, which add hands on as it is.
  const auto f = [&](const Tensor& x) { return x + gt::record(Twice{&added}, x) + gt::record(Twice{&added}, x); };
  CHECK(gt::vjp(f, gt::zeros({3}, {.dtype = gt::f64}), seed).to_vector<double>() == std::vector<double>{25, 25, 25});
  CHECK(seed.to_vector<double>() == std::vector<double>{5, 5, 5});
  // Nor the gradient of a value in the middle that was asked for together with one behind it.
  const Tensor middle = 1 * w;
  const auto [dm, dw] = gt::grad(gt::sum(gt::record(Twice{&added}, middle) + w), {middle, w});
  CHECK(dm.to_vector<double>() == std::vector<double>{2, 2, 2});
  CHECK(dw.to_vector<double>() == std::vector<double>{3, 3, 3});
}

TEST_CASE("a rule that throws leaves gradients as they were and the tape usable") {
  const Tensor w = leaf();
  gt::sum(w * 3).backward();
  const Tensor loss = gt::sum(gt::record(Throws{}, w * w) + w);
  CHECK_THROWS_WITH_AS(loss.backward(), "no rule today", std::runtime_error);
  CHECK(w.grad().to_vector<double>() == std::vector<double>{3, 3, 3});
  gt::sum(w * w).backward();
  CHECK(w.grad().to_vector<double>() == std::vector<double>{5, 5, 5});
}

TEST_CASE("a gradient of the wrong shape or dtype names the op and the input") {
  const Tensor w = leaf({2, 3});
  const auto sweep = [](const Tensor& y) {
    return message_of<gt::GradientError>([&] { return gt::sum(y).backward(), 0; });
  };
  CHECK(sweep(gt::record(WrongShape{}, w)) ==
        "wrong_shape: the backward rule gave input 0 a gradient of f64 [], where the input is f64 [2, 3]");
  CHECK(sweep(gt::record(WrongDtype{}, w)) ==
        "wrong_dtype: the backward rule gave input 0 a gradient of f32 [2, 3], where the input is f64 [2, 3]");
  CHECK_FALSE(w.has_grad());
}

TEST_CASE("an error of an op within a rule names the op whose rule it is") {
  const Tensor w = leaf({2, 3});
  CHECK(message_of<gt::ShapeError>([&] { return gt::sum(gt::record(WrongProduct{}, w)).backward(), 0; }) ==
        "matmul: inner dimensions differ: [2, 3] · [2, 3]; did you mean transpose(b)? (in the backward rule of "
        "`wrong_product`, whose output is f64 [2, 3])");
  CHECK_FALSE(w.has_grad());
}

TEST_CASE("a tail of the wrong shape is not added to the gradient that is there") {
  const Tensor w = leaf(), x = w * 1;
  const Tensor wrong = gt::record(WrongTail{}, x),
               right = x * 2;  // newer than the wrong one: its gradient is there first
  CHECK(message_of<gt::GradientError>([&] { return gt::sum(wrong + right).backward(), 0; }) ==
        "wrong_tail: the backward rule gave input 0 a gradient of f64 [6], where the input is f64 [3]");
}

TEST_CASE("a node saves what its rules read, and only for inputs that need a gradient") {
  const auto saved = [](const Tensor& y) {
    std::vector<bool> out;
    for (const Array& a : y.node()->saved()) out.push_back(static_cast<bool>(a));
    return out;
  };
  const Tensor w = leaf(), mask = gt::tensor({1, 0, 1}, {.dtype = gt::i64}), a = leaf({2, 3}),
               b = gt::zeros({3, 4}, {.dtype = gt::f64});
  CHECK(saved(gt::record(Exp{}, w)) == std::vector{false, true});
  CHECK(saved(gt::record(Masked{}, w, mask)) == std::vector{false, true, false});
  CHECK(saved(gt::matmul(a, b)) == std::vector{false, true, false});
  CHECK(saved(gt::matmul(gt::transpose(b), gt::transpose(a))) == std::vector{true, false, false});
  CHECK(saved(gt::sum(a)) == std::vector{false, false});
}

TEST_CASE("an op without a gradient leaves no trace on the tape, and may give another dtype") {
  const Tensor n = gt::record(Count{}, leaf({2, 3}));
  CHECK(n.dtype() == gt::i64);
  CHECK(n.item<std::int64_t>() == 6);
  CHECK_FALSE(n.requires_grad());
  const gt::NoGrad off;
  CHECK_FALSE(gt::record(Exp{}, leaf()).requires_grad());
}

TEST_CASE("record refuses mixed dtypes and empty tensors") {
  CHECK(message_of<gt::DtypeError>([] { return gt::record(Masked{}, leaf(), gt::zeros({3})); }) ==
        "masked: dtypes f64 and f32 do not mix; convert one with .to(gradtape::f64)");
  CHECK_THROWS_WITH_AS(gt::record(Exp{}, Tensor()),
                       "own_exp: this Tensor is empty (default-constructed or moved from); give it a value first",
                       gt::Error);
}

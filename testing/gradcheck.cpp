#include <gradtape/core/grad.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/testing/approx.hpp>
#include <gradtape/testing/gradcheck.hpp>
#include <gradtape/testing/mistakes.hpp>
#include <gradtape/testing/sample.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using Function = GradCheck::Function;
using Tensors = std::vector<Tensor>;

constexpr double h = 1e-3;  // truncation h⁴·φ⁽⁵⁾/30 and rounding ε·φ/h are both about 1e-13
constexpr std::int64_t whole_up_to = 2000;  // elements of which every one is compared after a failure

/// Signs at random, sizes in [0.5, 1.5): no element goes unseen.
Tensor direction(const Tensor& x) { return away_from(0.0, x.shape(), {.distance = 0.5, .spread = 1.5, .dtype = f64}); }

double total(const Tensor& x) { return sum(x).item(); }

Tensors leaves(const Tensors& x, unsigned which) {
  Tensors out;
  for (std::size_t i = 0; i < x.size(); ++i) out.push_back(which >> i & 1 ? parameter(x[i]) : x[i]);
  return out;
}

bool all_finite(const Tensor& x) {
  const Array a = packed(x.array());
  return std::all_of(a.data<double>(), a.data<double>() + a.numel(), [](double v) { return std::isfinite(v); });
}

/// Every byte of a new array is filled with `byte` while this lives.
class Poison {
 public:
  explicit Poison(int byte) { detail::thread_state.poison = byte; }
  ~Poison() { detail::thread_state.poison = -1; }
  Poison(const Poison&) = delete;
  Poison& operator=(const Poison&) = delete;
};

/// One function at one order.
class Check {
 public:
  Check(const Function& f, Tensors x, double rtol, double atol) : f_(f), x_(std::move(x)), rtol_(rtol), atol_(atol) {
    for (std::size_t i = 0; i < x_.size(); ++i) floating_ |= is_floating(x_[i].dtype()) ? 1u << i : 0u;
  }

  /// Empty, or what is wrong.
  std::string run() {
    const Tensors before = copies();
    y_ = f_(x_);
    for (std::size_t i = 0; i < x_.size(); ++i)
      if (!gradtape::equal(x_[i], before[i]) && all_finite_or_integer(before[i]))
        return fmt::format("the op changed its input {}", i);
    if (y_.dtype() != f64) return fmt::format("the output is {}; there is no gradient to check", to_string(y_.dtype()));
    if (!all_finite(y_)) return fmt::format("the value is not finite: {}", to_string(y_));
    if (const std::string wrong = unfilled(); !wrong.empty()) return wrong;

    g_ = direction(y_);
    rule_ = rule(floating_, g_);
    for (std::size_t i = 0; i < x_.size(); ++i) {
      if (!(floating_ >> i & 1)) continue;
      if (!all_finite(rule_[i]))
        return fmt::format("the gradient of input {} is not finite: {}", i, to_string(rule_[i]));
    }
    if (const std::string wrong = nonlinear(); !wrong.empty()) return wrong;
    if (const std::string wrong = depends_on_needs(); !wrong.empty()) return wrong;
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < x_.size(); ++i) {
        if (!(floating_ >> i & 1) || x_[i].numel() == 0) continue;
        const Tensor d = direction(x_[i]);
        const Along numeric = along(i, d);
        const double analytic = total(rule_[i] * d);
        if (!agrees(analytic, numeric.slope, numeric.noise))
          return fmt::format(
              "the gradient of input {} is wrong: along a random direction the rule gives {:.10g}, differences "
              "{:.10g}\n{}",
              i, analytic, numeric.slope, elements(i));
      }
    return forwards();
  }

  const Tensor& g() const { return g_; }
  unsigned floating() const { return floating_; }

 private:
  struct Along {
    double slope, noise;
  };

  Tensors copies() const {
    Tensors out;
    for (const Tensor& x : x_) {
      const Array copy = Array::make(x.dtype(), x.shape());
      copy_elements(copy, x.array());
      out.push_back(Tensor(copy));
    }
    return out;
  }

  static bool all_finite_or_integer(const Tensor& x) { return x.dtype() != f64 || all_finite(x); }

  /// The gradients of the inputs in `which`, by the rule; the others stay empty.
  Tensors rule(unsigned which, const Tensor& g) const {
    const Tensors in = leaves(x_, which);
    const Tensor y = f_(in);
    Tensors wanted, out(x_.size());
    for (std::size_t i = 0; i < in.size(); ++i)
      if (which >> i & 1) wanted.push_back(in[i]);
    Tensors found(wanted.size());
    if (y.requires_grad()) detail::grad(y, g, wanted, {.allow_unused = true}, found);
    for (std::size_t i = 0, at = 0; i < in.size(); ++i)
      if (which >> i & 1) {
        out[i] = found[at].defined() ? found[at] : zeros_like(x_[i]);
        ++at;
      }
    return out;
  }

  std::string unfilled() const {
    Tensor a, b;
    {
      const Poison poison(0x41);
      a = f_(x_);
    }
    {
      const Poison poison(0xC2);
      b = f_(x_);
    }
    if (gradtape::equal(a, b)) return {};
    return "`value` does not fill the output it was given: elements that it left alone changed with what was there "
           "before";
  }

  std::string nonlinear() const {
    const Tensor other = direction(y_);
    const Tensors second = rule(floating_, other), both = rule(floating_, 2.5 * g_ + other);
    for (std::size_t i = 0; i < x_.size(); ++i) {
      if (!(floating_ >> i & 1)) continue;
      const Tensor expected = 2.5 * rule_[i] + second[i];
      const std::string wrong = approx(expected).rtol(1e-9).atol(1e-9).difference(both[i]);
      if (!wrong.empty())
        return fmt::format("the rule for input {} is not linear in the gradient: for 2.5·g + g' it {}", i, wrong);
    }
    return {};
  }

  std::string depends_on_needs() const {
    for (std::size_t i = 0; i < x_.size(); ++i) {
      if (!(floating_ >> i & 1)) continue;
      const std::string wrong = approx(rule_[i]).difference(rule(1u << i, g_)[i]);
      if (!wrong.empty())
        return fmt::format("the gradient of input {} changes when no other input needs one: it {}", i, wrong);
    }
    return {};
  }

  /// The dot-product test: gᵀ·(J·t) and (Jᵀ·g)·t are one number.
  std::string forwards() const {
    const Tensors in = leaves(x_, floating_);
    Tensors t;
    double expected = 0, size = 1e-3;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      t.push_back(floating_ >> i & 1 ? direction(x_[i]) : x_[i]);
      if (floating_ >> i & 1) expected += total(rule_[i] * t[i]), size += total(abs(rule_[i] * t[i]));
    }
    const double found = total(g_ * detail::jvp(f_(in), in, t, false));
    if (std::abs(found - expected) <= 1e-9 * size) return {};
    return fmt::format("forwards and backwards the derivative differs: gᵀ·jvp(t) = {:.10g}, vjp(g)·t = {:.10g}", found,
                       expected);
  }

  /// d(gᵀ·f)/dt along x_i + t·d, by differences.
  Along along(std::size_t i, const Tensor& d) const {
    const auto phi = [&](double t) {
      Tensors in = x_;
      in[i] = x_[i] + t * d;
      return g_ * f_(in);
    };
    const Tensor a = phi(h), b = phi(-h), c = phi(2 * h), e = phi(-2 * h);
    const double slope = total(8 * (a - b) - (c - e)) / (12 * h);
    // What rounding can do to the differences: it grows with the terms, which may cancel in the sum.
    const double noise = 1e-15 / h * total(abs(a) + abs(b) + abs(c) + abs(e));
    return {slope, noise};
  }

  bool agrees(double analytic, double numeric, double noise) const {
    return std::abs(analytic - numeric) <= atol_ + rtol_ * std::max(std::abs(analytic), std::abs(numeric)) + noise;
  }

  /// Every element of the gradient against differences.
  std::string elements(std::size_t i) const {
    const Tensor& x = x_[i];
    if (x.numel() > whole_up_to) return "  (too many elements to compare them one by one; check a smaller input)";
    const std::vector<double> rule = rule_[i].to_vector<double>();
    std::vector<double> numeric;
    std::vector<std::int64_t> wrong;
    for (std::int64_t k = 0; k < x.numel(); ++k) {
      const Array unit = Array::make(f64, x.shape());
      fill(unit, 0);
      unit.data<double>()[k] = 1;
      const Along slope = along(i, Tensor(unit));
      numeric.push_back(slope.slope);
      if (!agrees(rule[static_cast<std::size_t>(k)], slope.slope, slope.noise)) wrong.push_back(k);
    }
    return detail::describe_mistakes(x.shape(), y_.numel(), rule, numeric, std::move(wrong));
  }

  const Function& f_;
  Tensors x_;
  double rtol_, atol_;
  unsigned floating_ = 0;
  Tensor y_, g_;
  Tensors rule_;
};

/// φ(x…, g) = Σ uᵢᵀ·vjpᵢ(x…; g): its gradient holds the derivatives of one order more.
Function next_order(const Function& f, unsigned floating, const Tensors& u) {
  return [=](std::span<const Tensor> in) {
    const std::size_t n = u.size();
    const EnableGrad on;
    Tensors x, wanted;
    bool nested = in[n].requires_grad();
    for (std::size_t i = 0; i < n; ++i) nested = nested || in[i].requires_grad();
    for (std::size_t i = 0; i < n; ++i) {
      x.push_back(floating >> i & 1 ? detail::as_input(in[i], nested) : in[i]);
      if (floating >> i & 1) wanted.push_back(x.back());
    }
    const Tensor y = f(x);
    Tensors found(wanted.size());
    Tensor phi = zeros({}, {.dtype = f64});
    if (!y.requires_grad()) return phi;
    detail::grad(y, in[n], wanted, {.create_graph = true, .allow_unused = true}, found);
    for (std::size_t i = 0, at = 0; i < n; ++i)
      if (floating >> i & 1) phi = phi + sum(found[at++] * u[i]);
    return phi;
  };
}

}  // namespace

GradCheck GradCheck::order(int n) && {
  order_ = n;
  return std::move(*this);
}
GradCheck GradCheck::rtol(double value) && {
  rtol_ = value;
  return std::move(*this);
}
GradCheck GradCheck::atol(double value) && {
  atol_ = value;
  return std::move(*this);
}
GradCheck GradCheck::seed(std::uint64_t n) && {
  seed_ = n;
  return std::move(*this);
}

void GradCheck::run() {
  const EnableGrad on;  // inside of NoGrad too
  const DefaultDtype all_f64(f64);
  const RandomStream random(seed_);
  Function f = f_;
  Tensors x;
  for (const Tensor& input : inputs_) x.push_back(is_floating(input.dtype()) ? input.detach().to(f64) : input);
  for (int order = 1; order <= order_ && failure_.empty(); ++order) {
    try {
      Check check(f, x, rtol_ > 0 ? rtol_ : order == 1 ? 1e-6 : 1e-5, atol_);
      failure_ = check.run();
      if (failure_.empty() && order < order_) {
        Tensors u;
        for (const Tensor& input : x)
          u.push_back(is_floating(input.dtype()) ? uniform(input.shape(), {.low = 0.5, .high = 1.5}) : input);
        f = next_order(f, check.floating(), u);
        x.push_back(check.g());
      }
    } catch (const DtypeError& error) {
      failure_ = fmt::format("{}\n  gradcheck computes in f64: does the function capture an f32 tensor?", error.what());
    } catch (const Error& error) {
      failure_ = error.what();
    }
    if (!failure_.empty()) failure_ = fmt::format("gradcheck failed at order {}: {}", order, failure_);
  }
  if (failure_.empty()) return;
  failure_ += fmt::format("\n  inputs:");
  for (const Tensor& input : inputs_)
    failure_ += fmt::format(" {} {}", to_string(input.dtype()), to_string(input.shape()));
  failure_ += fmt::format("; repeat with .seed({}).order({})", seed_, order_);
}

GradCheck::operator bool() {
  if (!std::exchange(done_, true)) run();
  return failure_.empty();
}

std::ostream& operator<<(std::ostream& out, const GradCheck& check) {
  if (!check.done_) return out << "gradcheck (not run)";
  return out << (check.failure_.empty() ? "gradcheck passed" : check.failure_);
}

}  // namespace gradtape::inline v0

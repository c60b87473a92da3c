#pragma once

/// \file
/// The rows that every public op must have: calls over a matrix of shapes, which are checked to all orders asked for,
/// packed and as strided views, and misuse with its message. tests/ops/coverage_test.cpp compares the names with the
/// public headers.

#include <functional>
#include <string>
#include <vector>

#include <ops/cases.hpp>

namespace cases {

using Function = gt::GradCheck::Function;
using Tensors = std::vector<gt::Tensor>;

/// One call of an op on fresh inputs: floating ones in f64, where its derivatives are smooth.
struct Call {
  std::string what;                 ///< shapes or options, for messages
  std::function<Tensors()> inputs;  ///< made anew for each use
  Function f;
};

/// A call that must throw, and what it must say.
struct Misuse {
  std::string message;
  std::function<void()> call;
};

struct Row {
  std::string op;  ///< its name in the public header
  std::vector<Call> calls;
  std::vector<Misuse> misuse;
  int order = 2;                 ///< of derivatives to check; 0 for an op without any
  bool empty_is_misuse = false;  ///< the op has no meaning without elements, and a misuse row says so
  bool one_rank = false;         ///< its inputs have one number of axes only
};

/// What a family of ops is tested with. A variable at namespace scope, and one test case that calls `check`.
class Rows {
 public:
  using Make = std::vector<Row> (*)();
  explicit Rows(Make make);
  void check() const;                          ///< of all rows
  static std::vector<std::vector<Row>> all();  ///< of every family in the program

 private:
  Make make_;
};

/// `f`, an op by name or a callable on tensors, as a function of all inputs at once.
template <std::size_t N, class F>
Function function(F f) {
  return [f](std::span<const gt::Tensor> x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return gt::detail::call(f, x[I]...);
    }(std::make_index_sequence<N>{});
  };
}

/// Calls of a function of one tensor at each of `shapes`.
template <class F>
std::vector<Call> at(const std::vector<gt::Shape>& shapes, const Sampler& sample, F f) {
  std::vector<Call> out;
  for (const gt::Shape& shape : shapes)
    out.push_back({gt::to_string(shape), [=] { return Tensors{sample(shape)}; }, function<1>(f)});
  return out;
}

/// A call of a function that takes no tensors.
template <class F>
Call made(std::string what, F f) {
  return {std::move(what), [] { return Tensors{}; }, [=](std::span<const gt::Tensor>) { return f(); }};
}

/// One call of a function of N tensors, each of a shape and a sampler: `on({{{3, 4}, any}, {{4}, positive}}, f)`.
struct Operand {
  gt::Shape shape;
  Sampler sample;
};
template <std::size_t N, class F>
std::vector<Call> on(const Operand (&operands)[N], F f) {
  std::string what;
  for (const Operand& operand : operands) what += gt::to_string(operand.shape);
  const std::vector<Operand> all(std::begin(operands), std::end(operands));
  const auto make = [all] {
    Tensors out;
    for (const Operand& operand : all) out.push_back(operand.sample(operand.shape));
    return out;
  };
  return {{what, make, function<N>(f)}};
}

/// The whole matrix of shapes for an elementwise function of one tensor,
template <class F>
std::vector<Call> unary(F f, const Sampler& sample) {
  return at(shapes(), sample, f);
}
/// or of two, every broadcast both ways round.
template <class F>
std::vector<Call> binary(F f, const Sampler& a, const Sampler& b) {
  std::vector<Call> out;
  const auto add = [&](const gt::Shape& left, const gt::Shape& right) {
    for (Call& call : on({{left, a}, {right, b}}, f)) out.push_back(std::move(call));
  };
  for (const auto& [left, right] : broadcasts()) {
    add(left, right);
    if (left != right) add(right, left);
  }
  return out;
}

/// Several lists of calls as one.
inline std::vector<Call> calls(std::initializer_list<std::vector<Call>> lists) {
  std::vector<Call> out;
  for (const auto& list : lists) out.insert(out.end(), list.begin(), list.end());
  return out;
}

/// Whole numbers in [low, high), i64.
inline Sampler whole(std::int64_t low, std::int64_t high) {
  return [=](const gt::Shape& shape) {
    return gt::uniform(shape, {.low = static_cast<double>(low), .high = static_cast<double>(high), .dtype = gt::f64})
        .to(gt::i64);
  };
}
/// Numbers of which no two are nearer than 0.1.
inline Sampler distinct() {
  return [](const gt::Shape& shape) { return gt::distinct(shape, {.dtype = gt::f64}); };
}

}  // namespace cases

#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/functional.hpp>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradtape::nn {

/// Options of Linear.
struct LinearOptions {
  bool bias = true;  ///< add a bias
};

/// x·Wᵀ + b: (…, in) -> (…, out). `weight` is [out, in], `bias` [out]; both start uniform in ±1/sqrt(in), as PyTorch's do.
class Linear : public Module {
 public:
  /// Throws ValueError for a width below 1.
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< x·Wᵀ + b; throws ShapeError if x is not (…, in)
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [out, in]
  Parameter bias;    ///< [out]; empty without bias
};

/// Any function of one tensor, ops by name included.
class Function {
 public:
  /// A function that takes a Tensor, and maybe options, and returns one.
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Function>)
  Function(F f) : f_([f = std::move(f)](const Tensor& x) { return detail::call(f, x); }) {}
  Tensor operator()(const Tensor& x) const { return f_(x); }  ///< calls it

 private:
  std::function<Tensor(const Tensor&)> f_;
};

/// Layers and functions applied one after the other: `Sequential({Linear(2, 8), sigmoid, Linear(8, 1)})`. Names are "0", "1", …
class Sequential : public Module {
 public:
  /// A module with a call operator, or a function of one tensor.
  class Step {
   public:
    template <class F>
      requires(!std::derived_from<std::remove_cvref_t<F>, Step>)
    Step(F f) : held_(std::make_unique<Held<F>>(std::move(f))) {}  ///< owns f
    Step(const Step& other) : held_(other.held_->clone()) {}       ///< copies the module, parameters included
    Step(Step&&) noexcept = default;                               ///< moves it
    /// Replaces the step.
    Step& operator=(Step other) noexcept {
      held_ = std::move(other.held_);
      return *this;
    }
    ~Step() = default;

    Tensor operator()(const Tensor& x) const { return held_->call(x); }  ///< applies it
    /// nullptr for a function.
    Module* module() { return held_->module(); }

   private:
    struct Base {
      virtual ~Base() = default;
      virtual Tensor call(const Tensor& x) const = 0;
      virtual Module* module() = 0;
      virtual std::unique_ptr<Base> clone() const = 0;
    };
    template <class F>
    struct Held final : Base {
      explicit Held(F given) : f(std::move(given)) {}
      Tensor call(const Tensor& x) const override { return detail::call(f, x); }
      Module* module() override {
        if constexpr (std::derived_from<F, Module>)
          return &f;
        else
          return nullptr;
      }
      std::unique_ptr<Base> clone() const override { return std::make_unique<Held>(F(f)); }
      F f;
    };
    std::unique_ptr<Base> held_;
  };

  Sequential() = default;
  Sequential(std::initializer_list<Step> steps) : steps_(steps) {}  ///< in this order

  void push_back(Step step) { steps_.push_back(std::move(step)); }  ///< adds a step at the end
  Tensor operator()(const Tensor& x) const;                         ///< x through all steps
  void visit(Visitor& v) override;

 private:
  std::vector<Step> steps_;
};

/// Widths of an MLP's layers, input first: `{784, 128, 10}`, or a vector.
class Widths {
 public:
  Widths(std::initializer_list<Integer> widths);                                     ///< input first
  explicit Widths(std::vector<std::int64_t> widths) : values_(std::move(widths)) {}  ///< the same
  const std::vector<std::int64_t>& values() const { return values_; }                ///< input first

 private:
  std::vector<std::int64_t> values_;
};

/// Options of MLP.
struct MLPOptions {
  Function activation = Function(relu);  ///< after every layer but the last
};

/// Multilayer perceptron: Linear layers with an activation between them, the output linear. (n, first) -> (n, last).
/// Throws ValueError for fewer than two widths or a width below 1.
class MLP : public Module {
 public:
  /// Weights start as those of Linear.
  explicit MLP(const Widths& widths, const MLPOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< (n, first) -> (n, last)
  void visit(Visitor& v) override;

  std::vector<Linear> layers;  ///< from input to output

 private:
  Function activation_;
};

}  // namespace gradtape::nn

#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/nn/module.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/functional.hpp>

#include <concepts>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradtape::nn {

/// Options of Linear.
struct LinearOptions {
  bool bias = true;  ///< add a bias
};

/// x·Wᵀ + b: (…, in) -> (…, out). `weight` is [out, in], `bias` [out]; both start uniform in ±1/sqrt(in), as PyTorch's
/// do.
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

/// Any function of one tensor, ops by name included, which may leave options out.
class Activation : public Function<Tensor(const Tensor&)> {
 public:
  /// Takes `f` over.
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Activation>)
  Activation(F f) : Function([f = std::move(f)](const Tensor& x) { return detail::call(f, x); }) {}
};

/// Layers and functions applied one after the other: `Sequential({Linear(2, 8), sigmoid, Linear(8, 1)})`. Names are
/// "0", "1", …
class Sequential : public Module {
 public:
  /// A module with a call operator, or a function of one tensor.
  class Step {
   public:
    template <class F>
      requires(!std::derived_from<std::remove_cvref_t<F>, Step>)
    Step(F f) : held_(new Held<F>(std::move(f))) {}  ///< owns f; copies copy the module, parameters included

    Tensor operator()(const Tensor& x) const { return held_->call(x); }  ///< applies it
    /// nullptr for a function.
    Module* module() { return held_->module(); }

   private:
    struct Base {
      virtual ~Base() = default;
      virtual Tensor call(const Tensor& x) const = 0;
      virtual Module* module() = 0;
      virtual Base* clone() const = 0;
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
      Base* clone() const override { return new Held(F(f)); }
      F f;
    };
    detail::Owned<Base> held_;
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
  Activation activation = Activation(relu);  ///< after every layer but the last
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
  Activation activation_;
};

}  // namespace gradtape::nn

#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/nn/module.hpp>
#include <gradtape/ops/functional.hpp>

#include <concepts>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradtape::inline v0::nn {

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
    Step(const Step&) = default;                     ///< copies what it owns
    Step(Step&&) noexcept = default;                 ///< takes it over
    Step& operator=(const Step& other);              ///< writes into a module of the same type
    ~Step() = default;

    Tensor operator()(const Tensor& x) const { return held_->call(x); }  ///< applies it
    /// nullptr for a function.
    Module* module() { return held_->module(); }

   private:
    struct Base {
      virtual ~Base() = default;
      virtual Tensor call(const Tensor& x) const = 0;
      virtual Module* module() = 0;
      virtual Base* clone() const = 0;
      virtual bool assign(const Base& other) = 0;  // whether other holds a module of this type
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
      bool assign(const Base& other) override {
        if constexpr (std::derived_from<F, Module> && std::is_copy_assignable_v<F>) {
          const auto* same = dynamic_cast<const Held*>(&other);
          if (same) f = same->f;
          return same != nullptr;
        } else {
          return false;
        }
      }
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

}  // namespace gradtape::inline v0::nn

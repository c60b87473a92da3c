#pragma once

#include <gradtape/core/parallel.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// \file
/// What optimizers share; for those who write one, too.

namespace gradtape::inline v0::optim {

/// Parameters with options of their own, among those of an optimizer.
struct Group {
  std::vector<Tensor> parameters;           ///< handles on leaves
  double lr_scale = 1;                      ///< their rate is this times the optimizer's, >= 0
  std::optional<double> weight_decay = {};  ///< the optimizer's unless told, >= 0
};

/// The parameters of an optimizer: tensors, or groups of them:
///   optim::AdamW opt({{.parameters = net.body.parameters(), .lr_scale = 0.1},
///                     {.parameters = net.head.parameters(), .weight_decay = 0}}, {.lr = 1e-3});
class Groups {
 public:
  Groups(std::vector<Tensor> parameters) { groups_.push_back({std::move(parameters)}); }         ///< one group
  Groups(std::initializer_list<Tensor> parameters) : Groups(std::vector<Tensor>(parameters)) {}  ///< one group
  Groups(std::initializer_list<Group> groups) : groups_(groups) {}                               ///< several
  const std::vector<Group>& list() const { return groups_; }                                     ///< all of them

 private:
  std::vector<Group> groups_;
};

/// Throws GradientError that names `optimizer` if one of them is no leaf, ValueError if there is none or one twice,
/// which would be moved twice.
void require_parameters(std::string_view optimizer, const std::vector<Tensor>& parameters);

/// Makes an array one that nobody else sees and that can be changed in place: a copy, if somebody does.
inline void make_writable(Array& array) {
  if (!array.exclusive()) array = detail::packed_copy(array);
}

/// One parameter as a step rule sees it: n elements of T (float or double), to be changed in place.
template <class T>
struct Update {
  std::int64_t n;            ///< number of elements
  std::int64_t step;         ///< 1 at first
  double lr;                 ///< the rate of its group
  double weight_decay;       ///< that of its group
  T* w;                      ///< the values
  const T* g;                ///< their gradient
  std::array<T*, 3> memory;  ///< what the rule keeps for each element, 0 at first; null where it has no name
  double* number;            ///< a number that it keeps, 1 at first
  const Shape& shape;        ///< of the parameter

  /// Elements [begin, end) of it.
  Update part(std::int64_t begin, std::int64_t end) const {
    Update out = *this;
    out.n = end - begin, out.w += begin, out.g += begin;
    for (T*& m : out.memory)
      if (m) m += begin;
    return out;
  }
};

/// Weight decay of a step: a penalty adds penalty·w to the gradient; decoupled, w becomes keep·w and no penalty is
/// left.
template <class T>
struct Decay {
  /// For the step of `u`.
  Decay(const Update<T>& u, bool decoupled)
      : penalty(static_cast<T>(decoupled ? 0 : u.weight_decay)),
        keep(static_cast<T>(decoupled ? 1 - u.lr * u.weight_decay : 1)) {}
  T penalty;  ///< 0 if it is decoupled
  T keep;     ///< 1 unless it is
};

/// Names of what an optimizer keeps for each parameter; null for what it does not keep.
struct Memory {
  std::array<const char*, 3> elements{};  ///< arrays like the parameter
  const char* number = nullptr;           ///< one number
};

/// Base of the optimizers that move each parameter by its own gradient. One without a gradient is left alone; one of
/// another dtype than at the last step (after Module::to) starts anew. The state holds "lr" and, for parameter i,
/// "i.step" and what is remembered of it, under PyTorch's names.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Moves every parameter against its gradient.
  virtual void step() = 0;
  /// Forgets the gradients.
  void zero_grad() const;
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);

  double lr;  ///< the rate of the next step; assign to it to change it

 protected:
  /// `name` is a literal: it is not copied. Throws GradientError that names the optimizer for a tensor that is no leaf,
  /// ValueError without a parameter, for one given twice, or for an option, its own or a group's, outside of its
  /// domain.
  Optimizer(std::string_view name, const Groups& parameters, double rate, double weight_decay, const Memory& memory);
  Optimizer(const Optimizer&) = default;             ///< for the same parameters; remembers on its own from here
  Optimizer(Optimizer&&) = default;                  ///< takes over what the other remembers
  Optimizer& operator=(const Optimizer&) = default;  ///< the same
  Optimizer& operator=(Optimizer&&) = default;       ///< the same

  std::string_view name() const { return name_; }  ///< for messages

  /// Calls `rule(Update<T>)` for each parameter that has a gradient.
  template <class Rule>
  void update(Rule rule) {
    for (Slot& slot : slots_) {
      Leaf& leaf = slot.parameter.leaf(name_);
      if (!leaf.grad.array) continue;
      make_writable(leaf.value);
      if (slot.step == 0 || slot.dtype != leaf.dtype) start(slot, leaf);
      for (Array& memory : slot.memory)
        if (memory) make_writable(memory);  // a copy of the optimizer or a State may share it
      ++slot.step;
      const Array g = packed(leaf.grad.array);
      with_floating(name_, leaf.dtype, [&]<class T>(std::type_identity<T>) {
        Update<T> update{
            leaf.value.numel(), slot.step, lr * slot.lr_scale, slot.weight_decay, leaf.value.template data<T>(),
            g.data<T>(),        {},        &slot.number,       leaf.value.shape()};
        for (std::size_t i = 0; i < slot.memory.size(); ++i)
          if (slot.memory[i]) update.memory[i] = slot.memory[i].template data<T>();
        rule(update);
      });
    }
  }

  /// The same for a rule that moves every element by itself: it gets parts of a parameter, several at once.
  template <class Rule>
  void update_elements(Rule rule) {
    update([&](const auto& u) {
      if (u.n <= gradtape::detail::elements_a_part) return rule(u);
      gradtape::detail::parallel_for(u.n, gradtape::detail::elements_a_part,
                                     [&](std::int64_t begin, std::int64_t end) { rule(u.part(begin, end)); });
    });
  }

  /// Throws ValueError unless the value is >= 0.
  void require_not_negative(const char* option, double value) const;
  /// Throws ValueError unless the value is in [0, 1).
  void require_fraction(const char* option, double value) const;
  /// The same for both.
  void require_betas(std::pair<double, double> betas) const;

 private:
  struct Slot {
    Tensor parameter;
    double lr_scale, weight_decay;
    std::array<Array, 3> memory = {};
    double number = 1;
    Dtype dtype = f32;  // of the last step
    std::int64_t step = 0;
  };
  void start(Slot& slot, const Leaf& leaf) const;

  std::string_view name_;
  Memory memory_;
  std::vector<Slot> slots_;
};

}  // namespace gradtape::inline v0::optim

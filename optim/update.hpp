#pragma once

#include <gradtape/core/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

/// \file
/// What optimizers share; for those who write one.

namespace gradtape::optim {

/// Lets the values of a leaf be changed in place: moves it onto a copy if a graph or handle can see the old ones.
void make_writable(Leaf& leaf);

/// One parameter as a step rule sees it: n elements of T (float or double), to be changed in place.
template <class T>
struct Update {
  std::int64_t n;            ///< number of elements
  std::int64_t step;         ///< 1 at first
  T* w;                      ///< the values
  const T* g;                ///< their gradient
  std::array<T*, 3> memory;  ///< what the rule keeps for each element, 0 at first; null from the number asked for on
};

/// The parameters of an optimizer that moves each by its own gradient, with what it remembers of them. A parameter
/// without a gradient is left alone; one of another dtype than at the last step (after Module::to) starts anew.
class Parameters {
 public:
  /// Handles on leaves; up to 3 memories for each. Throws GradientError that names the optimizer for a tensor that is
  /// no leaf.
  Parameters(const char* optimizer, std::vector<Tensor> leaves, std::size_t memories);

  /// Calls `rule(Update<T>)` for each parameter that has a gradient.
  template <class Rule>
  void update(Rule rule) {
    for (Slot& slot : slots_) {
      Leaf& leaf = slot.parameter.leaf(optimizer_);
      if (!leaf.grad.array) continue;
      prepare(slot, leaf);
      const Array g = packed(leaf.grad.array);
      with_floating(optimizer_, leaf.dtype, [&]<class T>(std::type_identity<T>) {
        Update<T> update{leaf.value.numel(), slot.step, leaf.value.template data<T>(), g.data<T>(), {}};
        for (std::size_t i = 0; i < memories_; ++i) update.memory[i] = slot.memory[i].template data<T>();
        rule(update);
      });
    }
  }

  void zero_grad() const;  ///< forgets the gradients

 private:
  struct Slot {
    Tensor parameter;
    std::array<Array, 3> memory = {};
    Dtype dtype = f32;  // of the last step
    std::int64_t step = 0;
  };
  void prepare(Slot& slot, Leaf& leaf) const;

  const char* optimizer_;
  std::size_t memories_;
  std::vector<Slot> slots_;
};

}  // namespace gradtape::optim

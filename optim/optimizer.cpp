#include <gradtape/core/error.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <string>
#include <unordered_map>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {

void require_parameters(std::string_view optimizer, const std::vector<Tensor>& parameters) {
  if (parameters.empty())
    throw ValueError(fmt::format("{}: there are no parameters; does the module's visit name its members?", optimizer));
  std::unordered_map<const Leaf*, std::size_t> seen;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (const auto [before, added] = seen.try_emplace(&parameters[i].leaf(optimizer), i); !added)
      throw ValueError(fmt::format("{}: parameter {} of shape {} is parameter {} again; give each once", optimizer, i,
                                   to_string(parameters[i].shape()), before->second));
}

Optimizer::Optimizer(std::string_view name, const Groups& parameters, double rate, double weight_decay,
                     const Memory& memory)
    : lr(rate), name_(name), memory_(memory) {
  require_not_negative("lr", rate);
  require_not_negative("weight_decay", weight_decay);
  std::vector<Tensor> all;
  for (const Group& group : parameters.list()) {
    const double decay = group.weight_decay.value_or(weight_decay);
    require_not_negative("a group's lr_scale", group.lr_scale);
    require_not_negative("a group's weight_decay", decay);
    for (const Tensor& leaf : group.parameters) {
      all.push_back(leaf);
      slots_.push_back({leaf, group.lr_scale, decay});
    }
  }
  require_parameters(name, all);
}

void Optimizer::zero_grad() const {
  for (const Slot& slot : slots_) slot.parameter.zero_grad();
}

void Optimizer::visit(StateVisitor& visitor) {
  visitor("lr", lr);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const Leaf& leaf = slot.parameter.leaf(name_);
    if (slot.step == 0 || slot.dtype != leaf.dtype) start(slot, leaf);
    visitor(fmt::format("{}.step", i), slot.step);
    for (std::size_t k = 0; k < slot.memory.size(); ++k)
      if (memory_.elements[k]) visitor(fmt::format("{}.{}", i, memory_.elements[k]), slot.memory[k]);
    if (memory_.number) visitor(fmt::format("{}.{}", i, memory_.number), slot.number);
  }
}

void Optimizer::require_not_negative(const char* option, double value) const {
  if (!(value >= 0)) throw ValueError(fmt::format("{}: {} is {}; it must not be negative", name_, option, value));
}

void Optimizer::require_fraction(const char* option, double value) const {
  if (!(value >= 0 && value < 1))
    throw ValueError(fmt::format("{}: {} is {}; it must be in [0, 1)", name_, option, value));
}

void Optimizer::require_betas(std::pair<double, double> betas) const {
  const auto [beta1, beta2] = betas;
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1))
    throw ValueError(fmt::format("{}: betas are {} and {}; both must be in [0, 1)", name_, beta1, beta2));
}

/// What there is to remember before the first step, or the first in another dtype.
void Optimizer::start(Slot& slot, const Leaf& leaf) const {
  slot.dtype = leaf.dtype;
  slot.step = 0;
  slot.number = 1;
  for (std::size_t i = 0; i < slot.memory.size(); ++i) {
    if (!memory_.elements[i]) continue;
    slot.memory[i] = Array::make(leaf.dtype, leaf.shape);
    fill(slot.memory[i], 0);
  }
}

}  // namespace gradtape::inline v0::optim

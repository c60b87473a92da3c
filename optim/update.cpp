#include <gradtape/optim/update.hpp>

namespace gradtape::optim {

void make_writable(Leaf& leaf) {
  if (leaf.value.exclusive()) return;
  Array copy = Array::make(leaf.dtype, leaf.shape);
  copy_elements(copy, leaf.value);
  leaf.value = std::move(copy);
}

Parameters::Parameters(const char* optimizer, std::vector<Tensor> leaves, std::size_t memories)
    : optimizer_(optimizer), memories_(memories) {
  for (Tensor& leaf : leaves) {
    (void)leaf.leaf(optimizer);
    slots_.push_back({std::move(leaf)});
  }
}

void Parameters::prepare(Slot& slot, Leaf& leaf) const {
  make_writable(leaf);
  if (slot.step == 0 || slot.dtype != leaf.dtype) {
    slot.dtype = leaf.dtype;
    slot.step = 0;
    for (std::size_t i = 0; i < memories_; ++i) {
      slot.memory[i] = Array::make(leaf.dtype, leaf.shape);
      fill(slot.memory[i], 0);
    }
  }
  ++slot.step;
}

void Parameters::zero_grad() const {
  for (const Slot& slot : slots_) slot.parameter.zero_grad();
}

}  // namespace gradtape::optim

#include <gradtape/core/error.hpp>
#include <gradtape/optim/average.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {

EMA::EMA(std::vector<Tensor> parameters, const EMAOptions& options) : decay(options.decay) {
  if (!(decay >= 0 && decay < 1)) throw ValueError(fmt::format("EMA: decay is {}; it must be in [0, 1)", decay));
  for (Tensor& w : parameters) {
    Array value = w.leaf("EMA").value;  // shared until one of the two is written
    slots_.push_back({std::move(w), std::move(value)});
  }
}

void EMA::update() {
  require_applied("update", false);
  for (Slot& slot : slots_) {
    const Leaf& leaf = slot.parameter.leaf("EMA");
    if (slot.average.dtype() != leaf.dtype) slot.average = leaf.value;
    make_writable(slot.average);
    with_floating("EMA", leaf.dtype, [&]<class T>(std::type_identity<T>) {
      const T keep = static_cast<T>(decay), part = static_cast<T>(1 - decay);
      const Array value = packed(leaf.value);
      T* const a = slot.average.data<T>();
      const T* const w = value.data<T>();
      for (std::int64_t i = 0; i < value.numel(); ++i) a[i] = keep * a[i] + part * w[i];
    });
  }
}

void EMA::apply() {
  require_applied("apply", false);
  swap();
}

void EMA::restore() {
  require_applied("restore", true);
  swap();
}

void EMA::visit(StateVisitor& visitor) {
  require_applied("visit", false);
  visitor("decay", decay);
  for (std::size_t i = 0; i < slots_.size(); ++i) visitor(fmt::format("{}.average", i), slots_[i].average);
}

void EMA::require_applied(const char* member, bool applied) const {
  if (applied_ == applied) return;
  throw Error(fmt::format("EMA: {}: the averages are {}applied; call {}() first", member, applied_ ? "" : "not ",
                          applied_ ? "restore" : "apply"));
}

/// Graphs that were recorded with the old values keep them, as with every change of a leaf.
void EMA::swap() {
  for (Slot& slot : slots_) {
    Leaf& leaf = slot.parameter.leaf("EMA");
    if (slot.average.dtype() != leaf.dtype) slot.average = leaf.value;
    std::swap(leaf.value, slot.average);
  }
  applied_ = !applied_;
}

}  // namespace gradtape::inline v0::optim

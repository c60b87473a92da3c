#include <gradtape/core/error.hpp>
#include <gradtape/core/state.hpp>

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

template <class T>
Tensor scalar(T value) {
  return tensor(std::span<const T>(&value, 1), {});
}

std::string describe(const Tensor& x) { return fmt::format("{} {}", to_string(x.dtype()), to_string(x.shape())); }

}  // namespace

void StateVisitor::operator()(std::string_view name, Array& value) {
  Tensor held(value);
  value = {};  // so that whoever takes the entry may be its only holder
  try {
    entry(path(name), held);
  } catch (...) {
    value = held.array();
    throw;
  }
  value = packed(held.array());
}

void StateVisitor::operator()(std::string_view name, Tensor& value) {
  if (!value.defined()) return;
  Tensor held = value.detach();
  entry(path(name), held);
  if (same(held.array(), value.array())) return;
  if (value.is_leaf())
    value.assign(held);
  else
    value = std::move(held);
}

void StateVisitor::operator()(std::string_view name, double& value) {
  Tensor held = scalar(value);
  entry(path(name), held);
  value = held.item();
}

void StateVisitor::operator()(std::string_view name, std::int64_t& value) {
  Tensor held = scalar(value);
  entry(path(name), held);
  value = held.item<std::int64_t>();
}

void StateVisitor::operator()(std::string_view name, std::vector<double>& value) {
  Tensor held = tensor(std::span<const double>(value), {value.size()});
  entry(path(name), held);
  value = held.to_vector<double>();
}

void StateVisitor::throw_does_not_fit(std::string_view name, std::int64_t value) const {
  throw ValueError(fmt::format("state: {} does not fit the type of {}", value, path(name)));
}

void StateWriter::entry(const std::string& path, Tensor& value) {
  const auto at = std::ranges::find(left_, path, &State::value_type::first);
  if (at == left_.end()) return faults_.push_back(path + ": missing");
  const Tensor given = std::move(at->second);
  left_.erase(at);
  if (given.shape() == value.shape() && given.dtype() == value.dtype())
    value = given.detach();
  else
    faults_.push_back(fmt::format("{}: {} instead of {}", path, describe(given), describe(value)));
}

void StateWriter::finish(const std::string& caller) const {
  std::vector<std::string> faults = faults_;
  for (const auto& [path, value] : left_) faults.push_back(path + ": unknown");
  if (faults.empty()) return;
  constexpr std::size_t most = 20;
  if (faults.size() > most) {
    faults[most - 1] = fmt::format("… and {} more", faults.size() - most + 1);
    faults.resize(most);
  }
  throw ValueError(fmt::format("{}: the state does not fit:\n  {}", caller, fmt::join(faults, "\n  ")));
}

}  // namespace gradtape::inline v0

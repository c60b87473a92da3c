#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradtape::optim {

/// The state of an optimizer, a schedule or an average as named tensors, what a checkpoint keeps of it. Numbers are
/// scalars, f64 or i64.
using State = std::vector<std::pair<std::string, Tensor>>;

/// Walks the named entries of a state, to read or to replace them. Whatever has state names it in one member:
///   void visit(StateVisitor& v) { v("optimizer", optimizer); v("epoch", epoch); }
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  void operator()(std::string_view name, Array& value);                ///< an array, of a shape that it has already
  void operator()(std::string_view name, double& value);               ///< a number
  void operator()(std::string_view name, std::int64_t& value);         ///< a whole number
  void operator()(std::string_view name, std::vector<double>& value);  ///< numbers, as many as there are already
  /// Goes inside of something with state; its names get the prefix "name.".
  template <class T>
    requires requires(T& member, StateVisitor& visitor) { member.visit(visitor); }
  void operator()(std::string_view name, T& member) {
    const std::size_t outer = prefix_.size();
    prefix_.append(name).append(".");
    member.visit(*this);
    prefix_.resize(outer);
  }

 protected:
  /// What to do with an entry; paths are dotted. Another tensor may take its place, of the same shape and dtype.
  virtual void entry(const std::string& path, Tensor& value) = 0;

 private:
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }
  std::string prefix_;
};

/// Lists a state.
class StateReader : public StateVisitor {
 public:
  State found;  ///< the entries so far
 private:
  void entry(const std::string& path, Tensor& value) override { found.emplace_back(path, value); }
};

/// Replaces a state, and notes what does not fit.
class StateWriter : public StateVisitor {
 public:
  /// Hands the entries of `state` to whoever visits.
  explicit StateWriter(const State& state) : left_(state) {}
  void finish() const;  ///< throws ValueError if something did not fit

 private:
  void entry(const std::string& path, Tensor& value) override;
  State left_;
  std::string faults_;
};

/// What `of` remembers, at this moment: later steps do not change it.
template <class T>
State state_of(const T& of) {
  T copy = of;  // shares the arrays; they are copied when one of the two writes
  StateReader reader;
  copy.visit(reader);
  return std::move(reader.found);
}

/// Makes `to`, made with the options and for the parameters of the one whose state this is, remember the same. Throws
/// ValueError that lists every entry that is missing, unknown, or of another shape or dtype; nothing has changed then.
template <class T>
void load_state(T& to, const State& state) {
  T copy = to;
  StateWriter writer(state);
  copy.visit(writer);
  writer.finish();
  to = std::move(copy);
}

}  // namespace gradtape::optim

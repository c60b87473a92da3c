#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {

/// The state of a training, or of a part of it, as named tensors: what a file keeps of it. Numbers are scalars, f64 or
/// i64.
using State = std::vector<std::pair<std::string, Tensor>>;

class StateVisitor;

/// Something with state: it names its entries in a member, `void visit(StateVisitor& v)`, or a function beside its type
/// does, `void visit_state(Type& x, StateVisitor& v)`.
template <class T>
concept Stateful =
    requires(T& x, StateVisitor& v) { x.visit(v); } || requires(T& x, StateVisitor& v) { visit_state(x, v); };

/// Walks the named entries of a state, to read or to replace them. Modules, optimizers, PlateauLR, EMA and ThreadRandom
/// have state; what is made up of them names them in one member:
///   struct Run {
///     Net net;
///     optim::Adam optimizer;
///     ThreadRandom random;
///     std::int64_t epoch = 0;
///     void visit(StateVisitor& v) { v("net", net); v("optimizer", optimizer); v("random", random); v("epoch", epoch);
///     }
///   };
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  void operator()(std::string_view name, Array& value);  ///< an array, of a shape that it has already
  /// The same. A leaf is assigned to, any other tensor rebound; one that holds nothing is left out.
  void operator()(std::string_view name, Tensor& value);
  void operator()(std::string_view name, double& value);               ///< a number
  void operator()(std::string_view name, std::int64_t& value);         ///< a whole number
  void operator()(std::string_view name, std::vector<double>& value);  ///< numbers, as many as there are already
  /// Any other number. Throws ValueError for one that the type cannot hold.
  template <Number T>
  void operator()(std::string_view name, T& value) {
    std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t> wide(value);
    (*this)(name, wide);
    value = static_cast<T>(wide);
    if constexpr (std::integral<T>)
      if (static_cast<std::int64_t>(value) != wide) throw_does_not_fit(name, wide);
  }
  /// Goes inside of something with state; its names get the prefix "name.".
  template <class T>
    requires Stateful<std::remove_reference_t<T>>
  void operator()(std::string_view name, T&& member) {
    const std::size_t outer = prefix_.size();
    prefix_.append(name).append(".");
    walk(member);
    prefix_.resize(outer);
  }
  /// The same without a prefix.
  template <Stateful T>
  void walk(T& member) {
    if constexpr (requires(StateVisitor& visitor) { member.visit(visitor); })
      member.visit(*this);
    else
      visit_state(member, *this);
  }

 protected:
  /// What to do with an entry; paths are dotted. Another tensor may take its place, of the same shape and dtype.
  virtual void entry(const std::string& path, Tensor& value) = 0;

 private:
  [[noreturn]] void throw_does_not_fit(std::string_view name, std::int64_t value) const;
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
  void finish(const std::string& caller) const;  ///< throws ValueError that names `caller` if something did not fit

 private:
  void entry(const std::string& path, Tensor& value) override;
  State left_;
  std::vector<std::string> faults_;
};

/// What `of` remembers, at this moment: later steps do not change it, nor is anything copied before they would.
template <class T>
  requires Stateful<std::remove_reference_t<T>>
State state_of(T&& of) {
  StateReader reader;
  reader.walk(of);
  return std::move(reader.found);
}

/// Makes `to`, made with the options and for the parameters of the one whose state this is, remember the same. Throws
/// ValueError that lists entries (20 at most) that are missing, unknown, or of another shape or dtype, and starts with
/// `caller`; nothing has changed then.
template <class T>
  requires Stateful<std::remove_reference_t<T>>
void load_state(T&& to, const State& state, const std::string& caller = "load_state") {
  const State before = state_of(to);
  try {
    StateWriter writer(state);
    writer.walk(to);
    writer.finish(caller);
  } catch (...) {
    StateWriter(before).walk(to);
    throw;
  }
}

}  // namespace gradtape::inline v0

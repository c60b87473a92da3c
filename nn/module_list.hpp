#pragma once

#include <gradtape/core/error.hpp>
#include <gradtape/nn/module.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0::nn {

/// Modules of one type in a row, named "0", "1", …: a member `ModuleList<Linear> layers` gives "layers.0.weight".
/// Unlike Sequential's they are called one by one, as the module around them wants it.
template <std::derived_from<Module> M>
class ModuleList : public Module {
 public:
  ModuleList() = default;
  ModuleList(std::initializer_list<M> modules) : modules_(modules) {}            ///< copies of these
  explicit ModuleList(std::vector<M> modules) : modules_(std::move(modules)) {}  ///< the same

  void push_back(M module) { modules_.push_back(std::move(module)); }  ///< adds one at the end
  /// Makes one at the end.
  template <class... A>
  M& emplace_back(A&&... arguments) {
    return modules_.emplace_back(std::forward<A>(arguments)...);
  }

  std::size_t size() const { return modules_.size(); }  ///< how many
  /// Throws IndexError.
  M& operator[](std::size_t i) { return modules_[checked(i)]; }
  const M& operator[](std::size_t i) const { return modules_[checked(i)]; }  ///< the same
  auto begin() { return modules_.begin(); }                                  ///< in order
  auto end() { return modules_.end(); }                                      ///< likewise
  auto begin() const { return modules_.begin(); }                            ///< likewise
  auto end() const { return modules_.end(); }                                ///< likewise

  void visit(Visitor& v) override {
    for (std::size_t i = 0; i < modules_.size(); ++i) v(std::to_string(i), modules_[i]);
  }
  std::string description() const override { return "ModuleList(" + std::to_string(size()) + ")"; }

 private:
  std::size_t checked(std::size_t i) const {
    if (i < size()) return i;
    throw IndexError("ModuleList: index " + std::to_string(i) + " is outside of " + std::to_string(size()) +
                     " modules");
  }

  std::vector<M> modules_;
};

}  // namespace gradtape::inline v0::nn

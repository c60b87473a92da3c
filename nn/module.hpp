#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {
class StateVisitor;
}

namespace gradtape::inline v0::nn {

class Module;

/// A trainable member of a module: a leaf. Copying a module copies its parameters; `Tensor w = net.w` shares the leaf.
/// Assigning writes into the existing leaf, so that an optimizer which holds it stays valid.
class Parameter : public Tensor {
 public:
  Parameter() = default;
  /// A leaf with a copy of `value`, f32 or f64.
  explicit Parameter(const Tensor& value) : Tensor(parameter(value)) {}
  explicit Parameter(const Parameter& other) : Tensor(copy_of(other)) {}  ///< a leaf of its own
  Parameter(Parameter&&) noexcept = default;                              ///< takes the leaf over
  Parameter& operator=(const Parameter& other) { return set(other); }     ///< writes into this leaf
  Parameter& operator=(Parameter&& other) { return set(other); }          ///< the same
  Parameter& operator=(const Tensor& value) { return set(value); }        ///< the same
  ~Parameter() = default;

 private:
  static Tensor copy_of(const Tensor& other) { return other.defined() ? parameter(other) : Tensor(); }
  Parameter& set(const Tensor& value);
};

/// State of a module that no optimizer trains, such as running statistics. Assigning rebinds it.
class Buffer : public Tensor {
 public:
  Buffer() = default;
  explicit Buffer(const Tensor& value) : Tensor(value.detach()) {}  ///< its values, without history
  /// Rebinds to the values of a tensor, without history.
  Buffer& operator=(const Tensor& value) {
    Tensor::operator=(value.detach());
    return *this;
  }
};

/// Walks the named members of a module and of the modules inside it.
class Visitor {
 public:
  virtual ~Visitor() = default;

  void operator()(std::string_view name, Parameter& member);  ///< a leaf to train
  void operator()(std::string_view name, Buffer& member);     ///< state that is not trained
  void operator()(std::string_view name, Module& member);     ///< goes inside; its names get the prefix "name."
  /// Does not compile: a plain Tensor says neither that it is trained nor that it is state.
  template <std::same_as<Tensor> T>
  void operator()(std::string_view, T&) {
    static_assert(!std::same_as<T, Tensor>,
                  "declare this member as gt::nn::Parameter (trained) or gt::nn::Buffer (state), not as a Tensor");
  }

 protected:
  /// What to do with a parameter; paths are dotted.
  virtual void parameter(const std::string& /*path*/, Parameter& /*member*/) {}
  virtual void buffer(const std::string& /*path*/, Buffer& /*member*/) {}  ///< what to do with a buffer
  virtual void enter(const std::string& /*path*/, Module& /*member*/) {}   ///< before the members of a module
  virtual void leave(Module& /*member*/) {}                                ///< after them

 private:
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }
  std::string prefix_;
};

/// Base of all modules: a struct with members, a call operator, and one line that names the members:
///   struct Net : nn::Module {
///     nn::Linear fc1{784, 128}, fc2{128, 10};
///     Tensor operator()(const Tensor& x) const { return fc2(relu(fc1(x))); }
///     void visit(nn::Visitor& v) override { v("fc1", fc1); v("fc2", fc2); }
///   };
class Module {
 public:
  virtual ~Module() = default;

  /// Names the members, each with `v("name", member)`.
  virtual void visit(Visitor& visitor) = 0;
  /// One line for printing; the type's name unless overridden.
  virtual std::string description() const;

  /// Every parameter, in the order of `visit`. Handles on the leaves themselves.
  std::vector<Tensor> parameters() const;
  /// The same with dotted names, such as "encoder.0.weight".
  std::vector<std::pair<std::string, Tensor>> named_parameters() const;
  std::vector<std::pair<std::string, Tensor>> named_buffers() const;  ///< buffers with dotted names
  /// Number of trainable elements.
  std::int64_t parameter_count() const;

  /// Switches this module and all inside it to training (the start) or evaluation mode.
  void train(bool on = true);
  void eval() { train(false); }                ///< to evaluation mode
  bool training() const { return training_; }  ///< which mode it is in

  /// Converts parameters and floating buffers to f32 or f64, in place: optimizers stay valid, gradients are dropped.
  void to(Dtype dtype);
  /// Forgets all gradients.
  void zero_grad() const;

 protected:
  Module() = default;
  Module(const Module&) = default;             ///< members copy themselves, parameters too
  Module(Module&&) = default;                  ///< and move themselves
  Module& operator=(const Module&) = default;  ///< parameters write into the leaves that are there
  Module& operator=(Module&&) = delete;        ///< so of a temporary too: a vector's move would replace the leaves

 private:
  bool training_ = true;
};

/// The tree of modules with their descriptions and numbers of parameters.
std::string to_string(const Module& module);
std::ostream& operator<<(std::ostream& out, const Module& module);

/// Names parameters and buffers as the state of a module; see StateVisitor.
void visit_state(Module& module, StateVisitor& visitor);

}  // namespace gradtape::inline v0::nn

namespace gradtape::inline v0 {
/// Lets many threads run a model, each under NoGrad, while the guard lives; see Share.
Share share(const nn::Module& module);
}  // namespace gradtape::inline v0

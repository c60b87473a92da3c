#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/softmax.hpp>
#include <gradtape/ops/trigonometry.hpp>

#include <string>

// The activations as modules, under PyTorch's names, for those who like them in a printed tree. A function does as
// well wherever one is called: Sequential({Linear(2, 8), relu, Linear(8, 1)}).

namespace gradtape::inline v0::nn {

/// A module without members that applies f.
template <Tensor (*f)(const Tensor&)>
class Applied : public Module {
 public:
  Tensor operator()(const Tensor& x) const { return f(x); }  ///< f(x)
  void visit(Visitor&) override {}                           ///< nothing
};

/// The same with the options of f.
template <class Options, Tensor (*f)(const Tensor&, const Options&)>
class AppliedWith : public Module {
 public:
  explicit AppliedWith(const Options& given = {}) : options(given) {}  ///< those of f
  Tensor operator()(const Tensor& x) const { return f(x, options); }   ///< f(x)
  void visit(Visitor&) override {}                                     ///< nothing

  Options options;  ///< those of f
};

struct Hardswish : Applied<hardswish> {};     ///< see `hardswish`
struct LogSigmoid : Applied<log_sigmoid> {};  ///< see `log_sigmoid`
struct Mish : Applied<mish> {};               ///< see `mish`
struct ReLU : Applied<relu> {};               ///< see `relu`
struct SELU : Applied<selu> {};               ///< see `selu`
struct Sigmoid : Applied<sigmoid> {};         ///< see `sigmoid`
struct SiLU : Applied<silu> {};               ///< see `silu`
struct Softsign : Applied<softsign> {};       ///< see `softsign`
struct Tanh : Applied<tanh> {};               ///< see `tanh`

/// See `elu`.
struct ELU : AppliedWith<EluOptions, elu> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `gelu`.
struct GELU : AppliedWith<GeluOptions, gelu> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `glu`.
struct GLU : AppliedWith<AxisOptions, glu> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `hardtanh`.
struct Hardtanh : AppliedWith<HardtanhOptions, hardtanh> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `leaky_relu`.
struct LeakyReLU : AppliedWith<LeakyReluOptions, leaky_relu> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `log_softmax`.
struct LogSoftmax : AppliedWith<AxisOptions, log_softmax> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `softmax`.
struct Softmax : AppliedWith<AxisOptions, softmax> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};
/// See `softplus`.
struct Softplus : AppliedWith<SoftplusOptions, softplus> {
  using AppliedWith::AppliedWith;
  std::string description() const override;
};

}  // namespace gradtape::inline v0::nn

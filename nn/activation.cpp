#include <gradtape/nn/activation.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

std::string ELU::description() const { return fmt::format("ELU(alpha {})", options.alpha); }
std::string GELU::description() const { return options.approximate == GeluOptions::tanh ? "GELU(tanh)" : "GELU"; }
std::string GLU::description() const { return fmt::format("GLU(axis {})", options.axis); }
std::string Hardtanh::description() const { return fmt::format("Hardtanh({}, {})", options.min, options.max); }
std::string LeakyReLU::description() const {
  return fmt::format("LeakyReLU(negative slope {})", options.negative_slope);
}
std::string LogSoftmax::description() const { return fmt::format("LogSoftmax(axis {})", options.axis); }
std::string Softmax::description() const { return fmt::format("Softmax(axis {})", options.axis); }
std::string Softplus::description() const {
  return fmt::format("Softplus(beta {}, threshold {})", options.beta, options.threshold);
}

}  // namespace gradtape::inline v0::nn

#pragma once

#ifndef GRADTAPE_ONNX
#error "link gradtape::onnx, which is there if gradtape is configured with -D GRADTAPE_ONNX=ON"
#endif

#include <gradtape/core/tensor.hpp>
#include <gradtape/nn/module.hpp>

#include <concepts>
#include <string>

namespace gradtape::inline v0 {
namespace detail {

/// A module that maps one tensor to one, behind its type.
struct Exported {
  const nn::Module& module;
  Tensor (*run)(const nn::Module& module, const Tensor& x);
};
void export_onnx(const Exported& exported, const Tensor& example, const std::string& path);

}  // namespace detail

/// Writes what `module` computes of a tensor such as `example` to an ONNX file (opset 17): one input named "input", one
/// output named "output", the shapes those of the example, batch included. Parameters and buffers keep their dotted
/// names; what is computed from them alone is stored as its value. The module is run twice, on the example and on its
/// elements in reverse order, and whatever calls the ops decide on must not depend on them.
///
/// Throws ValueError for a module in training mode, for an op that ONNX has no counterpart of, which it names with what
/// leads to it, and for a value that depends on the elements of the input and was not made by ops; FileError if the
/// file cannot be written. The file appears as a whole or not at all.
template <std::derived_from<nn::Module> M>
  requires requires(const M& module, const Tensor& x) {
    { module(x) } -> std::convertible_to<Tensor>;
  }
void export_onnx(const M& module, const Tensor& example, const std::string& path) {
  const auto run = [](const nn::Module& m, const Tensor& x) -> Tensor { return static_cast<const M&>(m)(x); };
  detail::export_onnx({module, run}, example, path);
}

}  // namespace gradtape::inline v0

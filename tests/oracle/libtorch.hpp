#pragma once

#include <gradtape/gradtape.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <torch/torch.h>
#undef CHECK  // libtorch's would end the program; ours is doctest's
#include <doctest/doctest.h>

/// Tensors between gradtape and libtorch, whose elements are always copied.
namespace oracle {

namespace gt = gradtape;

inline std::vector<std::int64_t> sizes(const gt::Shape& shape) { return {shape.begin(), shape.end()}; }

inline torch::Tensor to_torch(const gt::Tensor& x) {
  constexpr torch::Dtype dtypes[] = {torch::kFloat32, torch::kFloat64, torch::kInt64, torch::kBool};
  const gt::Tensor dense = gt::contiguous(x);
  const auto dtype = dtypes[static_cast<std::size_t>(x.dtype())];
  return torch::from_blob(dense.array().data(), sizes(x.shape()), dtype).clone();
}

template <gt::Element T>
gt::Tensor from_torch(const torch::Tensor& x) {
  const torch::Tensor dense = x.detach().contiguous();
  return gt::tensor(std::span<const T>(dense.data_ptr<T>(), static_cast<std::size_t>(x.numel())),
                    gt::Shape(x.sizes().vec()));
}

inline gt::Tensor from_torch(const torch::Tensor& x) {
  switch (x.scalar_type()) {
    case torch::kFloat32:
      return from_torch<float>(x);
    case torch::kFloat64:
      return from_torch<double>(x);
    case torch::kBool:
      return from_torch<bool>(x);
    default:
      return from_torch<std::int64_t>(x);
  }
}

/// Sums of random signs cancel, hence an absolute tolerance of some roundings of a term.
inline void check_equal(const gt::Tensor& ours, const torch::Tensor& theirs) {
  const gt::Tensor expected = from_torch(theirs);
  CHECK(ours == gt::approx(expected).atol(ours.dtype() == gt::f32 ? 1e-5 : 1e-13));
}

}  // namespace oracle

#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/ops/kernels/blocks.hpp>
#include <gradtape/ops/kernels/reduce_piece.hpp>

#include <cstddef>
#include <cstdint>

/// How gradients of operands that were broadcast are summed, block by block. Unnamed, like blocks.hpp.
namespace gradtape::inline v0::detail {
namespace {

/// Takes the gradient of one input block by block.
template <class T>
class Writer {
 public:
  Writer() {}  // and not `= default`, which would clear the buffer
  /// Adds into `target`, which is packed, has the operand's strides in `space` and holds numbers when a block
  /// of it is added to.
  void open(const Array& target, const Space& space, std::size_t operand, bool direct, std::int64_t numel) {
    target_ = &target, space_ = &space, operand_ = operand, direct_ = direct;
    pattern_ = pattern_of(space, operand);
    if (direct || pattern_ == Pattern::constant) return;
    repeats_ = numel > 0 && space.stretch(operand) == numel;
    if (repeats_)
      wide_ = Array::make(f64, {space.row() + block_size});
    else if (dtype_of<T> == f32 && numel >= many * target.numel())
      wide_ = Array::make(f64, target.shape());
    if (wide_) fill(wide_, 0);
  }
  bool is_open() const { return target_ != nullptr; }

  /// Where the kernel is to write a block.
  T* block(std::int64_t index) { return direct_ ? target_->template data<T>() + index : buffer_; }

  /// Folds what the kernel has written.
  void fold(const T* block, std::int64_t index, std::int64_t n) {
    T* out = target_->template data<T>();
    if (direct_) return;
    if (pattern_ == Pattern::constant) {
      total_ += reduce_piece<Sum>(block, n);
      return;
    }
    if (repeats_)
      add_run(wide_.data<double>() + index % space_->row(), block, n);
    else if (wide_)
      add(wide_.data<double>(), block, index, n);
    else
      add(out, block, index, n);
  }

  void finish() {
    T* out = target_->template data<T>();
    if (!direct_ && pattern_ == Pattern::constant && target_->numel() > 0) *out += static_cast<T>(total_);
    if (!wide_) return;
    double* sums = wide_.data<double>();
    const std::int64_t size = target_->numel();
    for (std::int64_t i = size; i < wide_.numel(); ++i) sums[i % size] += sums[i];
    for (std::int64_t i = 0; i < size; ++i) out[i] = static_cast<T>(static_cast<double>(out[i]) + sums[i]);
  }

 private:
  static constexpr std::int64_t many = 1024;  // so many terms an element are worth adding up in double

  template <class Total>
  static void add_run(Total* out, const T* from, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += static_cast<Total>(from[i]);
  }

  template <class Total>
  void add(Total* out, const T* block, std::int64_t index, std::int64_t n) {
    const std::int64_t step = space_->step(operand_);
    for_each_run(*space_, operand_, index, n, [&](std::int64_t offset, std::int64_t at, std::int64_t run) {
      const T* from = block + at;
      Total* to = out + offset;
      if (step == 1)
        add_run(to, from, run);
      else if (step == 0)
        *to += static_cast<Total>(reduce_piece<Sum>(from, run));
      else
        for (std::int64_t i = 0; i < run; ++i) to[i * step] += static_cast<Total>(from[i]);
    });
  }

  const Array* target_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  Pattern pattern_ = Pattern::packed;
  bool direct_ = false;
  bool repeats_ = false;  // the target is a row, and a block is added to as many of it as it reaches
  double total_ = 0;      // a single sum over everything is kept in double,
  Array wide_;            // and so are many long ones
  alignas(64) T buffer_[block_size + lane_elements];
};

}  // namespace
}  // namespace gradtape::inline v0::detail

#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/dropout.hpp>
#include <gradtape/ops/kernels/attention.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/matrix.hpp>
#include <gradtape/ops/kernels/softmax_row.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t block_rows = 64;  // queries at a time: their scores stay in the second-level cache

template <class T>
Matrix<T> rows_from(const Matrix<T>& x, std::int64_t first, std::int64_t count) {
  return {x.data + first * x.row_step, count, x.cols, x.row_step, x.col_step};
}

/// Hides the keys of one query that a boolean mask excludes, or adds a floating one.
template <class T>
void apply_mask(T* scores, const Array& mask, std::int64_t batch, std::int64_t query, std::int64_t keys) {
  const auto row = static_cast<std::size_t>(mask.rank()) - 2, col = row + 1;
  const std::int64_t first = start_of(mask, batch) + query * mask.strides()[row], step = mask.strides()[col];
  if (mask.dtype() == boolean) {
    const bool* seen = mask.data<bool>() + first;
    for (std::int64_t j = 0; j < keys; ++j)
      scores[j] = seen[j * step] ? scores[j] : -std::numeric_limits<T>::infinity();
  } else {
    const T* bias = mask.data<T>() + first;
    for (std::int64_t j = 0; j < keys; ++j) scores[j] += bias[j * step];
  }
}

/// Some queries of one matrix of the batch, the keys that any of them may look at, and which of their weights dropout
/// keeps; none without dropout.
template <class T>
struct Block {
  const AttentionInputs& in;
  std::int64_t batch, first, count, keys;
  Array kept;

  Matrix<T> queries() const { return rows_from(matrix_at<T>(in.q, batch), first, count); }
  Matrix<T> key_rows() const { return rows_from(matrix_at<T>(in.k, batch), 0, keys); }
  Matrix<T> value_rows() const { return rows_from(matrix_at<T>(in.v, batch), 0, keys); }
  Matrix<T> square(const T* data) const { return {data, count, keys, keys, 1}; }

  /// to = from where dropout keeps it, divided by the chance of that, else 0.
  void drop(T* to, const T* from) const {
    const T factor = static_cast<T>(dropout_scale(in.dropout_p));
    for (std::int64_t i = 0; i < count * keys; ++i) to[i] = kept.data<bool>()[i] ? from[i] * factor : T{0};
  }

  /// Calls `f(r, scores of its query, how many)`; the scores of keys behind these become 0.
  template <class F>
  void for_each_row(T* scores, F f) const {
    gemm_at(scores, queries(), transposed(key_rows()), false);  // (count,c)·(c,keys) -> (count,keys)
    for (std::int64_t r = 0; r < count; ++r) {
      T* row = scores + r * keys;
      const std::int64_t seen = in.causal ? std::min(keys, first + r + 1) : keys;
      scale_row(row, seen, static_cast<T>(in.scale));
      if (in.mask) apply_mask(row, in.mask, batch, first + r, seen);
      f(r, row, seen);
      std::fill(row + seen, row + keys, T{0});
    }
  }
};

/// Calls `f(block, number of its first query, room for two matrices of scores)`, for several matrices of the batch at
/// once, unless `in_order`; with dropout always in order, so that it draws the same numbers each time.
template <class T, class F>
void for_each_block(const AttentionInputs& in, bool in_order, F f) {
  const std::int64_t t = in.q.shape()[-2], s = in.k.shape()[-2];
  std::int64_t batches = 1;
  for (int axis = 0; axis + 2 < in.q.rank(); ++axis) batches *= in.q.shape()[axis];
  std::optional<RandomStream> stream;
  if (in.dropout_p > 0) stream.emplace(in.seed);
  parallel_for(batches, in_order || stream ? batches : rows_a_part(t * s), [&](std::int64_t begin, std::int64_t end) {
    const Array room = Array::make(in.q.dtype(), {2, std::min(t, block_rows), s});
    for (std::int64_t batch = begin; batch < end; ++batch)
      for (std::int64_t first = 0; first < t; first += block_rows) {
        const std::int64_t count = std::min(block_rows, t - first), keys = in.causal ? std::min(s, first + count) : s;
        const Array kept = stream ? bernoulli(1 - in.dropout_p, {count, keys}, {.dtype = boolean}).array() : Array();
        f(Block<T>{in, batch, first, count, keys, kept}, batch * t + first, room.data<T>());
      }
  });
}

/// Whether matrices of the batch have one gradient together.
bool adds_up_batches(const Array& gradient) {
  for (int axis = 0; gradient && axis + 2 < gradient.rank(); ++axis)
    if (gradient.shape()[axis] > 1 && gradient.strides()[static_cast<std::size_t>(axis)] == 0) return true;
  return false;
}

}  // namespace

void attention(const Array& out, const Array& rows, const AttentionInputs& in) {
  with_floating("attention", out.dtype(), [&]<class T>(std::type_identity<T>) {
    const std::int64_t d = out.shape()[-1];
    for_each_block<T>(in, false, [&](const Block<T>& block, std::int64_t query, T* scores) {
      T* largest = rows.data<T>() + 2 * query;
      block.for_each_row(scores, [&](std::int64_t r, T* row, std::int64_t seen) {
        largest[2 * r] = max_of(row, seen);
        const T sum = exp_row(row, row, seen, largest[2 * r]);
        largest[2 * r + 1] = sum == 0 ? T{0} : 1 / sum;  // 0 where every key is hidden
      });
      if (block.kept) block.drop(scores, scores);
      T* to = out.data<T>() + query * d;
      gemm_at(to, block.square(scores), block.value_rows(), false);  // (count,keys)·(keys,d) -> (count,d)
      for (std::int64_t r = 0; r < block.count; ++r) scale_row(to + r * d, d, largest[2 * r + 1]);
    });
  });
}

void attention_vjp(const Array& dq, const Array& dk, const Array& dv, const Array& g, const Array& rows,
                   const AttentionInputs& in) {
  const bool in_order = adds_up_batches(dq) || adds_up_batches(dk) || adds_up_batches(dv);
  with_floating("attention", g.dtype(), [&]<class T>(std::type_identity<T>) {
    using Batch = xsimd::batch<T>;
    for_each_block<T>(in, in_order, [&](const Block<T>& block, std::int64_t query, T* weights) {
      const T* largest = rows.data<T>() + 2 * query;
      block.for_each_row(weights, [&](std::int64_t r, T* row, std::int64_t seen) {
        const Batch top(largest[2 * r]), factor(largest[2 * r + 1]);
        map_row(row, row, seen, T{0}, [&](Batch x) { return lanes::exp(x - top) * factor; });
      });
      const Matrix<T> given = rows_from(matrix_at<T>(g, block.batch), block.first, block.count);
      const auto start = [&](const Array& x) { return x.data<T>() + start_of(x, block.batch); };
      T* const scores = weights + block.count * block.keys;
      if (block.kept) block.drop(scores, weights);
      if (dv)  // (keys,count)·(count,d) -> (keys,d)
        gemm_at(start(dv), transposed(block.square(block.kept ? scores : weights)), given, true);
      if (!dq && !dk) return;
      gemm_at(scores, given, transposed(block.value_rows()), false);  // (count,d)·(d,keys) -> (count,keys)
      if (block.kept) block.drop(scores, scores);
      for (std::int64_t r = 0; r < block.count; ++r)
        softmax_row_vjp(scores + r * block.keys, scores + r * block.keys, weights + r * block.keys, block.keys,
                        static_cast<T>(in.scale));
      if (dq)  // (count,keys)·(keys,c) -> (count,c)
        gemm_at(start(dq) + block.first * in.q.shape()[-1], block.square(scores), block.key_rows(), true);
      if (dk)  // (keys,count)·(count,c) -> (keys,c)
        gemm_at(start(dk), transposed(block.square(scores)), block.queries(), true);
    });
  });
}

void attention_kept(const Array& out, const AttentionInputs& in) {
  const std::int64_t s = out.shape()[-1];
  fill(out, 0);
  for_each_block<float>(in, true, [&](const Block<float>& block, std::int64_t query, const float*) {
    const bool* from = block.kept.data<bool>();
    for (std::int64_t r = 0; r < block.count; ++r)
      std::copy_n(from + r * block.keys, block.keys, out.data<bool>() + (query + r) * s);
  });
}

}  // namespace gradtape::inline v0::detail

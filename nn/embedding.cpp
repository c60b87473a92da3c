#include <gradtape/core/error.hpp>
#include <gradtape/nn/embedding.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/shape.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

Embedding::Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options) : options_(options) {
  if (count < 1 || width < 1)
    throw ValueError(fmt::format("Embedding: {} vectors of width {}; both must be at least 1", count, width));
  Tensor start = randn({count, width});
  if (const auto padding = options.padding_idx) {
    if (*padding < -count || *padding >= count)
      throw IndexError(
          fmt::format("Embedding: padding_idx {} is outside of the table, which has {} rows", *padding, count));
    const Tensor row = reshape(arange(count, {.dtype = i64}), {count, 1});
    start = where(row == (*padding < 0 ? *padding + count : *padding), 0, start);
  }
  weight = start;
}

Tensor Embedding::operator()(const Tensor& ids) const { return embedding(weight, ids, options_); }

std::string Embedding::description() const {
  return fmt::format("Embedding({}, {}{})", weight.shape()[0], weight.shape()[1],
                     options_.padding_idx ? fmt::format(", padding {}", *options_.padding_idx) : "");
}

}  // namespace gradtape::inline v0::nn

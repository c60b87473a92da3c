#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/index.hpp>

#include <cstdint>
#include <string>

namespace gradtape::inline v0::nn {

/// A table of vectors: ids (i…), i64 -> (i…, width). `weight` is [count, width] and starts standard normal; the row of
/// `padding_idx`, if there is one, starts as 0 and gets no gradient. As PyTorch's.
class Embedding : public Module {
 public:
  /// Throws ValueError for a size below 1, IndexError for a padding_idx outside of the table.
  Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options = {});

  Tensor operator()(const Tensor& ids) const;  ///< throws IndexError for an id outside of the table
  void visit(Visitor& v) override { v("weight", weight); }
  std::string description() const override;

  Parameter weight;  ///< [count, width]

 private:
  EmbeddingOptions options_;
};

}  // namespace gradtape::inline v0::nn

#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <limits>

/// What a training has to tell: metrics, progress, graphs, reports.
namespace gradtape::inline v0::report {

/// Options of metrics that compare with labels.
struct LabelOptions {
  std::int64_t ignore_index = -100;  ///< a label that takes no part
};

/// The share of right answers. `output` holds scores, f32 or f64 (n, classes, …), of which the first largest is the
/// answer, or the answers themselves, i64 (n, …); `labels` are i64 (n, …). Throws ShapeError or DtypeError, ValueError
/// for a label that is no class, and where there is no label to compare with.
double accuracy(const Tensor& output, const Tensor& labels, const LabelOptions& options = {});

/// Options of `confusion_matrix`.
struct ConfusionOptions {
  std::int64_t classes = 0;          ///< how many; 0: as many as there are scores, or 1 + the largest class met
  std::int64_t ignore_index = -100;  ///< a label that takes no part
};

/// How often each class was taken for each: element (i, j), i64, counts what is of class i and was answered j. Takes
/// and throws what `accuracy` does; of no labels it is all zeros.
Tensor confusion_matrix(const Tensor& output, const Tensor& labels, const ConfusionOptions& options = {});

/// Root of the mean squared error, added up in double; output and target are of one shape, f32 or f64. Throws
/// ShapeError, DtypeError, or ValueError for the mean of nothing.
double rmse(const Tensor& output, const Tensor& target);

/// exp of the mean cross-entropy of logits (n, classes, …) against labels, i64 (n, …): among how many equally likely
/// classes the model wavers. Throws as `accuracy` does.
double perplexity(const Tensor& logits, const Tensor& labels, const LabelOptions& options = {});

/// The mean of the values so far, for metrics that come batch by batch:
///   RunningMean loss;
///   for (auto& batch : loader) loss.add(…, batch_size);
class RunningMean {
 public:
  /// One more value, which counts `weight` times; returns the mean.
  double add(double value, double weight = 1) {
    weight_ += weight;
    if (weight != 0) sum_ += value * weight;
    return mean();
  }
  double mean() const {  ///< NaN before the first value
    return weight_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum_ / weight_;
  }
  double weight() const { return weight_; }  ///< of all values
  void reset() { *this = {}; }               ///< forgets them

 private:
  double sum_ = 0, weight_ = 0;
};

}  // namespace gradtape::inline v0::report

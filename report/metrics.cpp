#include <gradtape/core/error.hpp>
#include <gradtape/ops/classification.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/report/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0::report {
namespace {

constexpr std::int64_t most_classes = 1 << 12;  // of a confusion matrix: 128 MiB

bool has_scores(const Tensor& output) { return is_floating(output.dtype()); }

bool fits(const Shape& scores, const Shape& labels) {
  if (scores.rank() != labels.rank() + 1 || labels.rank() == 0) return false;
  for (int axis = 0; axis < labels.rank(); ++axis)
    if (scores[axis == 0 ? 0 : axis + 1] != labels[axis]) return false;
  return true;
}

void check(std::string_view metric, const Tensor& output, const Tensor& labels) {
  if (labels.dtype() != i64)
    throw DtypeError(fmt::format("{}: labels are {}; expected i64", metric, to_string(labels.dtype())));
  if (output.dtype() == boolean)
    throw DtypeError(fmt::format("{}: the output is boolean; expected scores, f32 or f64, or classes, i64", metric));
  if (has_scores(output) ? !fits(output.shape(), labels.shape()) : output.shape() != labels.shape())
    throw ShapeError(fmt::format("{}: {} {} and labels {} do not fit; expected {} and labels [n]", metric,
                                 has_scores(output) ? "scores" : "answers", to_string(output.shape()),
                                 to_string(labels.shape()),
                                 has_scores(output) ? "scores [n, classes]" : "answers [n]"));
  if (has_scores(output) && output.shape()[1] == 0)
    throw ShapeError(fmt::format("{}: scores {} have no classes", metric, to_string(output.shape())));
}

struct Pairs {
  std::vector<std::int64_t> answers, labels;
};

/// The answers and labels that count.
Pairs pairs(std::string_view metric, const Tensor& output, const Tensor& labels, std::int64_t ignored) {
  check(metric, output, labels);
  if (has_scores(output)) detail::require_classes(metric, labels.array(), output.shape()[1], ignored);
  const NoGrad guard;
  Pairs all{(has_scores(output) ? argmax(output, {.axis = 1}) : output).to_vector<std::int64_t>(),
            labels.to_vector<std::int64_t>()};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.labels.size(); ++i) {
    if (all.labels[i] == ignored) continue;
    if (all.labels[i] < 0)
      throw ValueError(fmt::format("{}: label {} is no class; expected 0 or more", metric, all.labels[i]));
    all.answers[kept] = all.answers[i];
    all.labels[kept++] = all.labels[i];
  }
  all.answers.resize(kept);
  all.labels.resize(kept);
  return all;
}

[[noreturn]] void throw_no_labels(std::string_view metric) {
  throw ValueError(fmt::format("{}: no labels, and the mean of nothing is undefined", metric));
}

std::int64_t largest(const std::vector<std::int64_t>& classes) {
  return classes.empty() ? -1 : *std::ranges::max_element(classes);
}

void check_classes(const char* what, const std::vector<std::int64_t>& found, std::int64_t classes) {
  for (const std::int64_t each : found)
    if (each < 0 || each >= classes)
      throw ValueError(fmt::format("confusion_matrix: {} {} is no class; expected 0 to {}", what, each, classes - 1));
}

}  // namespace

double accuracy(const Tensor& output, const Tensor& labels, const LabelOptions& options) {
  const Pairs found = pairs("accuracy", output, labels, options.ignore_index);
  if (found.labels.empty()) throw_no_labels("accuracy");
  std::size_t right = 0;
  for (std::size_t i = 0; i < found.labels.size(); ++i) right += found.answers[i] == found.labels[i];
  return static_cast<double>(right) / static_cast<double>(found.labels.size());
}

Tensor confusion_matrix(const Tensor& output, const Tensor& labels, const ConfusionOptions& options) {
  if (options.classes < 0 || options.classes > most_classes)
    throw ValueError(fmt::format("confusion_matrix: {} classes; expected 0 to {}", options.classes, most_classes));
  const Pairs found = pairs("confusion_matrix", output, labels, options.ignore_index);
  const std::int64_t n = options.classes > 0 ? options.classes
                         : has_scores(output)
                             ? output.shape()[1]
                             : std::min(std::max(largest(found.answers), largest(found.labels)), most_classes - 1) + 1;
  check_classes("label", found.labels, n);
  check_classes("answer", found.answers, n);
  const Array counts = Array::make(i64, {n, n});
  fill(counts, 0);
  for (std::size_t i = 0; i < found.labels.size(); ++i)
    ++counts.data<std::int64_t>()[found.labels[i] * n + found.answers[i]];
  return Tensor(counts);
}

double rmse(const Tensor& output, const Tensor& target) {
  if (output.shape() != target.shape())
    throw ShapeError(fmt::format("rmse: output {} and target {} differ in shape", to_string(output.shape()),
                                 to_string(target.shape())));
  if (output.dtype() != target.dtype() || !is_floating(output.dtype()))
    throw DtypeError(fmt::format("rmse: output is {} and target {}; expected both f32 or both f64",
                                 to_string(output.dtype()), to_string(target.dtype())));
  if (output.numel() == 0) throw ValueError("rmse: no elements, and the mean of nothing is undefined");
  const Array mean = Array::make(f64, {});
  const auto f64_of = [](const Tensor& x) { return packed(x.detach().to(f64).array()); };
  detail::sum_square_difference(mean, f64_of(output), f64_of(target), 1 / static_cast<double>(output.numel()));
  return std::sqrt(*mean.data<double>());
}

double perplexity(const Tensor& logits, const Tensor& labels, const LabelOptions& options) {
  if (!has_scores(logits))
    throw DtypeError(fmt::format("perplexity: logits are {}; expected f32 or f64", to_string(logits.dtype())));
  if (pairs("perplexity", logits, labels, options.ignore_index).labels.empty()) throw_no_labels("perplexity");
  const NoGrad guard;
  return std::exp(cross_entropy(logits, labels, {.ignore_index = options.ignore_index}).item());
}

}  // namespace gradtape::inline v0::report

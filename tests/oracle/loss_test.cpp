#include "case.hpp"

namespace {

using namespace oracle;
using Reduction = gt::LossReduction;

at::Reduction::Reduction theirs_of(Reduction reduction) {
  if (reduction == Reduction::none) return at::Reduction::None;
  return reduction == Reduction::mean ? at::Reduction::Mean : at::Reduction::Sum;
}

Reduction any_reduction(Random& r) { return static_cast<Reduction>(r.integer(0, 2)); }

/// A loss of outputs from one sampler against targets from another, reduced in each way.
template <class Ours, class Theirs>
Maker loss(gt::Tensor (Random::*output)(const gt::Shape&), gt::Tensor (Random::*target)(const gt::Shape&), Ours ours,
           Theirs theirs) {
  return [=](Random& r) {
    const gt::Shape shape = r.filled_shape(0);
    const Reduction reduction = any_reduction(r);
    return call(
        {(r.*output)(shape), (r.*target)(shape)},
        [=](const gt::Tensor& y, const gt::Tensor& t) { return ours(y, t, reduction); },
        [=](const torch::Tensor& y, const torch::Tensor& t) { return theirs(y, t, theirs_of(reduction)); });
  };
}

/// Class labels for logits (n, classes, …), some of which are ignored, with weights of the classes.
struct Labelled {
  explicit Labelled(Random& r)
      : shape{r.integer(1, 9), r.integer(2, 9)}, reduction(any_reduction(r)), weight(r.positive({shape[1]})) {
    gt::Shape rows{shape[0]};
    for (int i = r.integer(0, 2); i > 0; --i) {
      shape.push_back(r.integer(1, 4));
      rows.push_back(shape[-1]);
    }
    labels = r.below(shape[1], rows);
  }

  gt::Shape shape;
  Reduction reduction;
  gt::Tensor weight, labels;
};

const Table losses = {
    {"l1_loss", loss(
                    any, any, [](const auto& y, const auto& t, Reduction by) { return gt::l1_loss(y, t, {by}); },
                    [](const auto& y, const auto& t, int by) { return torch::l1_loss(y, t, by); })},
    {"mse_loss", loss(
                     any, any, [](const auto& y, const auto& t, Reduction by) { return gt::mse_loss(y, t, {by}); },
                     [](const auto& y, const auto& t, int by) { return torch::mse_loss(y, t, by); })},
    {"huber_loss", loss(
                       any, any,
                       [](const auto& y, const auto& t, Reduction by) {
                         return gt::huber_loss(y, t, {by, 0.7});
                       },
                       [](const auto& y, const auto& t, int by) { return torch::huber_loss(y, t, by, 0.7); })},
    {"bce_loss",
     loss(
         any, any,
         [](const auto& y, const auto& t, Reduction by) { return gt::bce_loss(sigmoid(y), sigmoid(t), {by}); },
         [](const auto& y, const auto& t, int by) {
           return torch::binary_cross_entropy(sigmoid(y), sigmoid(t), {}, by);
         })},
    {"bce_with_logits_loss",
     loss(
         any, any,
         [](const auto& y, const auto& t, Reduction by) { return gt::bce_with_logits_loss(y, sigmoid(t), {by}); },
         [](const auto& y, const auto& t, int by) {
           return torch::binary_cross_entropy_with_logits(y, sigmoid(t), {}, {}, by);
         })},
    {"bce_with_logits_loss, weighted",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape();
       return call(
           {r.any(shape), r.any(shape).detach(), r.positive(r.stretchable(shape))},
           [](const gt::Tensor& y, const gt::Tensor& t, const gt::Tensor& w) {
             return gt::bce_with_logits_loss(y, sigmoid(t), {Reduction::sum, w.detach()});
           },
           [](const torch::Tensor& y, const torch::Tensor& t, const torch::Tensor& w) {
             return torch::binary_cross_entropy_with_logits(y, sigmoid(t), {}, w.detach(), at::Reduction::Sum);
           });
     }},
    {"kl_div", loss(
                   any, positive, [](const auto& y, const auto& t, Reduction by) { return gt::kl_div(y, t, {by}); },
                   [](const auto& y, const auto& t, int by) { return torch::kl_div(y, t, by, false); })},
    {"kl_div of logarithms", loss(
                                 any, any,
                                 [](const auto& y, const auto& t, Reduction by) {
                                   return gt::kl_div(y, t, {by, true});
                                 },
                                 [](const auto& y, const auto& t, int by) { return torch::kl_div(y, t, by, true); })},
    // gaussian_nll_loss is left out: libtorch has it in Python only
    {"nll_loss",
     [](Random& r) {
       const Labelled c(r);
       return call(
           {r.any(c.shape), c.labels},
           [=](const gt::Tensor& x, const gt::Tensor& y) {
             return gt::nll_loss(x, y, {.weight = c.weight, .ignore_index = 0, .reduction = c.reduction});
           },
           [=](const torch::Tensor& x, const torch::Tensor& y) {
             return torch::nll_loss_nd(x, y, to_torch(c.weight), theirs_of(c.reduction), 0);
           });
     }},
    {"cross_entropy of classes",
     [](Random& r) {
       const Labelled c(r);
       const double smoothing = r.coin() ? 0.1 : 0;
       return call(
           {r.any(c.shape), c.labels},
           [=](const gt::Tensor& x, const gt::Tensor& y) {
             return gt::cross_entropy(x, y, {c.weight, 1, c.reduction, smoothing});
           },
           [=](const torch::Tensor& x, const torch::Tensor& y) {
             return torch::cross_entropy_loss(x, y, to_torch(c.weight), theirs_of(c.reduction), 1, smoothing);
           });
     }},
    {"cross_entropy of probabilities",
     [](Random& r) {
       const Labelled c(r);
       const double smoothing = r.coin() ? 0.1 : 0;
       return call(
           {r.any(c.shape), r.positive(c.shape)},
           [=](const gt::Tensor& x, const gt::Tensor& p) {
             return gt::cross_entropy(x, p,
                                      {.weight = c.weight, .reduction = c.reduction, .label_smoothing = smoothing});
           },
           [=](const torch::Tensor& x, const torch::Tensor& p) {
             return torch::cross_entropy_loss(x, p, to_torch(c.weight), theirs_of(c.reduction), -100, smoothing);
           });
     }},
};

}  // namespace

TEST_CASE("oracle: losses agree with libtorch") { compare(losses); }

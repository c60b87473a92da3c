#include <gradtape/core/error.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/product.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

// A label is a letter, or below 'A' one of the axes that `...` stands for, '0' being the last of them.
using Labels = std::string;

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

/// An operand with a label for each axis, no label twice.
struct Term {
  Tensor x;
  Labels labels;
};

class Einsum {
 public:
  Einsum(std::string_view expression, const std::vector<Tensor>& operands) : expression_(expression) {
    for (const char c : expression)
      if (c != ' ') text_ += c;
    const std::size_t arrow = text_.find("->");
    const std::vector<std::string> inputs = split(text_.substr(0, arrow));
    if (inputs.size() != operands.size())
      fail(fmt::format("{} operands are named, but {} are given", inputs.size(), operands.size()));
    for (std::size_t i = 0; i < operands.size(); ++i) add(operands[i], inputs[i]);
    output_ = arrow == std::string::npos ? implicit(inputs) : explicit_output(text_.substr(arrow + 2));
    stretch();
  }

  Tensor run() {
    for (Term& term : terms_) sum_out(term, &term);
    while (terms_.size() > 1) {
      const auto [i, j] = cheapest();
      Term product = multiply(terms_[i], terms_[j]);
      terms_.erase(terms_.begin() + static_cast<std::ptrdiff_t>(j));
      terms_.erase(terms_.begin() + static_cast<std::ptrdiff_t>(i));
      terms_.push_back(std::move(product));
    }
    return permute(terms_[0].x, places(terms_[0].labels, output_));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ShapeError(fmt::format("einsum: \"{}\": {}", expression_, what));
  }

  static std::vector<std::string> split(const std::string& inputs) {
    std::vector<std::string> out{""};
    for (const char c : inputs)
      if (c == ',')
        out.emplace_back();
      else
        out.back() += c;
    return out;
  }

  /// The labels of one operand of `rank` axes, `...` written out.
  Labels labels_of(const std::string& text, int rank) {
    Labels labels;
    const std::size_t dots = text.find("...");
    const int named = static_cast<int>(text.size()) - (dots == std::string::npos ? 0 : 3);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i == dots) {
        const int n = rank - named;
        for (int k = n; k-- > 0;) labels += static_cast<char>('0' + k);
        dotted_ = std::max(dotted_, n);
        i += 2;
      } else if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')) {
        labels += text[i];
      } else {
        fail(fmt::format("'{}' is no letter", text[i]));
      }
    }
    return labels;
  }

  void add(const Tensor& x, const std::string& text) {
    Labels labels = labels_of(text, x.rank());
    if (static_cast<int>(labels.size()) != x.rank())
      fail(fmt::format("operand {} has shape {}, which \"{}\" does not name", terms_.size(), to_string(x.shape()),
                       text));
    Tensor term = x;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t again = labels.find(labels[i], i + 1);
      if (again == Labels::npos) continue;
      const auto first = static_cast<int>(i), second = static_cast<int>(again);
      if (term.shape()[first] != term.shape()[second])
        fail(fmt::format("'{}' stands for {} and for {} in operand {}", labels[i], term.shape()[first],
                         term.shape()[second], terms_.size()));
      term = diagonal(term, {.axis1 = first, .axis2 = second});  // a last axis in place of the two
      const char label = labels[i];
      labels.erase(again, 1);
      labels.erase(i, 1);
      labels += label;
      i = static_cast<std::size_t>(-1);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t size = term.shape()[static_cast<int>(i)];
      const auto [at, fresh] = sizes_.emplace(labels[i], size);
      if (fresh || at->second == size) continue;
      const bool stretches = labels[i] < 'A' && (size == 1 || at->second == 1);
      if (!stretches)
        fail(fmt::format("{} is {} in one operand and {} in operand {}", name(labels[i]), at->second, size,
                         terms_.size()));
      at->second = size == 1 ? at->second : size;
    }
    terms_.push_back({term, labels});
  }

  static std::string name(char label) { return label < 'A' ? "an axis of '...'" : fmt::format("'{}'", label); }

  Labels implicit(const std::vector<std::string>& inputs) const {
    Labels out;
    for (int k = dotted_; k-- > 0;) out += static_cast<char>('0' + k);
    for (const auto& [label, size] : sizes_) {
      std::ptrdiff_t times = 0;
      for (const std::string& text : inputs) times += std::ranges::count(text, label);
      if (label >= 'A' && times == 1) out += label;
    }
    return out;
  }

  Labels explicit_output(const std::string& text) {
    const bool dots = text.find("...") != std::string::npos;
    const Labels out = labels_of(text, static_cast<int>(text.size()) - (dots ? 3 - dotted_ : 0));
    for (const char label : out) {
      if (!sizes_.contains(label)) fail(fmt::format("{} of the result is in no operand", name(label)));
      if (std::ranges::count(out, label) > 1) fail(fmt::format("{} stands twice in the result", name(label)));
    }
    return out;
  }

  /// Axes of 1 that `...` names take the size they have elsewhere.
  void stretch() {
    for (Term& term : terms_) {
      Shape shape = term.x.shape();
      for (std::size_t i = 0; i < term.labels.size(); ++i) shape.set(static_cast<int>(i), sizes_[term.labels[i]]);
      if (shape != term.x.shape()) term.x = broadcast_to(term.x, shape);
    }
  }

  /// Whether anything but `a` and `b` still needs a label.
  bool needed(char label, const Term* a, const Term* b) const {
    return has(output_, label) ||
           std::ranges::any_of(terms_, [&](const Term& t) { return &t != a && &t != b && has(t.labels, label); });
  }

  /// Sums over the axes of `term` that neither the result nor another operand has.
  void sum_out(Term& term, const Term* partner) const {
    Axes axes;
    Labels kept;
    for (std::size_t i = 0; i < term.labels.size(); ++i)
      if (needed(term.labels[i], &term, partner))
        kept += term.labels[i];
      else
        axes.push_back(static_cast<std::int64_t>(i));
    if (!axes.empty()) term = {sum(term.x, {.axes = axes}), kept};
  }

  double size(const Labels& labels) const {
    double n = 1;
    for (const char label : labels) n *= static_cast<double>(sizes_.at(label));
    return n;
  }

  /// The labels of the product of two operands.
  Labels product_labels(const Term& a, const Term& b) const {
    Labels out;
    for (const char label : a.labels + b.labels)
      if (!has(out, label) && needed(label, &a, &b)) out += label;
    return out;
  }

  std::pair<std::size_t, std::size_t> cheapest() const {
    std::pair<std::size_t, std::size_t> best{0, 1};
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < terms_.size(); ++i)
      for (std::size_t j = i + 1; j < terms_.size(); ++j) {
        const double grows =
            size(product_labels(terms_[i], terms_[j])) - size(terms_[i].labels) - size(terms_[j].labels);
        if (grows < least) least = grows, best = {i, j};
      }
    return best;
  }

  static IntegerList places(const Labels& from, const Labels& to) {
    IntegerList axes;
    for (const char label : to) axes.push_back(static_cast<std::int64_t>(from.find(label)));
    return axes;
  }

  Shape shape_of(const Labels& labels) const {
    Shape shape;
    for (const char label : labels) shape.push_back(sizes_.at(label));
    return shape;
  }

  Term multiply(const Term& a, const Term& b) const {
    Labels batch, left, inner, right;
    for (const char label : a.labels) (!has(b.labels, label) ? left : needed(label, &a, &b) ? batch : inner) += label;
    for (const char label : b.labels)
      if (!has(a.labels, label)) right += label;
    const std::int64_t n = shape_of(batch).numel(), rows = shape_of(left).numel(), depth = shape_of(inner).numel(),
                       cols = shape_of(right).numel();
    // (batch,m,k)·(batch,k,n) -> (batch,m,n)
    const Tensor x = reshape(permute(a.x, places(a.labels, batch + left + inner)), {n, rows, depth});
    const Tensor y = reshape(permute(b.x, places(b.labels, batch + inner + right)), {n, depth, cols});
    return {reshape(matmul(x, y), shape_of(batch + left + right)), batch + left + right};
  }

  std::string_view expression_;
  std::string text_;
  std::vector<Term> terms_;
  Labels output_;
  std::map<char, std::int64_t> sizes_;
  int dotted_ = 0;  // how many axes `...` stands for at most
};

}  // namespace

Tensor einsum(std::string_view expression, const std::vector<Tensor>& operands) {
  for (const Tensor& x : operands) detail::check_floating("einsum", {&x.array()});
  for (std::size_t i = 1; i < operands.size(); ++i)
    detail::check_dtypes("einsum", {&operands[0].array(), &operands[i].array()});
  if (operands.empty()) throw ShapeError(fmt::format("einsum: \"{}\": no operand is given", expression));
  return Einsum(expression, operands).run();
}

}  // namespace gradtape::inline v0

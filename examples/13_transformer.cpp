// A language model of characters: a small Transformer reads 64 characters of Shakespeare and says what comes next
// (A. Vaswani et al., Attention Is All You Need, 2017; A. Radford et al., Language Models are Unsupervised Multitask
// Learners, 2019). It ends with a sample of what it has learnt to write.

#include <gradtape/gradtape.hpp>
#include <gradtape/report/metrics.hpp>
#include <gradtape/report/progress.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

constexpr std::int64_t context = 64, width = 128, heads = 4, depth = 4;

struct Transformer : nn::Module {
  explicit Transformer(std::int64_t characters) : token(characters, width), head(width, characters, {.bias = false}) {
    for (int i = 0; i < depth; ++i)
      layers.push_back(nn::TransformerEncoderLayer(
          width, heads, {.dim_feedforward = 4 * width, .dropout = 0, .activation = gt::gelu, .norm_first = true}));
    for (const auto& [name, weight] : named_parameters()) {
      if (weight.rank() == 2) nn::init::normal(weight, {.std = 0.02});
    }
  }

  /// Characters [n, t] -> scores of each next one, [n, t, characters].
  gt::Tensor operator()(const gt::Tensor& ids) const {
    auto x = token(ids) + position(places[{gt::Slice{0, ids.shape()[1]}}]);
    for (const auto& layer : layers) x = layer(x, {.causal = true});
    return head(norm(x));
  }
  void visit(nn::Visitor& v) override {
    v("token", token), v("position", position), v("layers", layers), v("norm", norm), v("head", head);
  }

  nn::Embedding token, position{context, width};
  gt::Tensor places = gt::arange(context).to(gt::i64);
  nn::ModuleList<nn::TransformerEncoderLayer> layers;
  nn::LayerNorm norm{{width}};
  nn::Linear head;
};

/// A text as numbers of characters.
struct Text {
  explicit Text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw gt::FileError(path + ": cannot be read");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (const char c : text)
      if (alphabet.find(c) == std::string::npos) alphabet += c;
    std::ranges::sort(alphabet);
    std::vector<std::int64_t> ids;
    for (const char c : text) ids.push_back(static_cast<std::int64_t>(alphabet.find(c)));
    all = gt::tensor(std::span(ids), {ids.size()});
  }
  std::string alphabet;
  gt::Tensor all;
};

/// n random stretches of a text, [n, context + 1].
gt::Tensor batch_of(const gt::Tensor& text, std::int64_t n) {
  const auto starts = gt::randint(0, text.numel() - context, {n, 1});
  return gt::take(text, starts + gt::arange(context + 1).to(gt::i64));
}

gt::Tensor loss_of(const Transformer& net, const gt::Tensor& batch) {
  const auto scores = net(batch[{gt::Slice{}, gt::Slice{0, context}}]);
  return gt::cross_entropy(gt::flatten(scores, {.end_axis = 1}),
                           gt::flatten(batch[{gt::Slice{}, gt::Slice{1, context + 1}}]));
}

/// Continues a newline, one drawn character after the other.
std::string sample(const Transformer& net, const Text& text, int length) {
  const gt::NoGrad off;
  std::vector<std::int64_t> ids = {0};
  std::string out;
  for (int i = 0; i < length; ++i) {
    const auto seen = std::span(ids).last(std::min(ids.size(), static_cast<std::size_t>(context)));
    const auto scores = net(gt::tensor(seen, {1, seen.size()}));
    const auto chances = gt::softmax(scores[{0, -1}]).to_vector<float>();
    double left = gt::uniform({1}).item();
    std::size_t next = 0;
    while (next + 1 < chances.size() && (left -= chances[next]) > 0) ++next;
    ids.push_back(static_cast<std::int64_t>(next));
    out += text.alphabet[next];
  }
  return out;
}

int main(int argc, char** argv) try {
  std::string file = GRADTAPE_EXAMPLES_DATA "/tinyshakespeare.txt";
  std::int64_t steps = 2000, batch = 12, batches = 200;
  std::uint64_t seed = 1;
  CLI::App app("Trains a Transformer to write like Shakespeare, character by character.");
  app.add_option("--steps", steps, "mini-batches")->check(CLI::Range(2, 1000000))->capture_default_str();
  app.add_option("--batch", batch, "stretches of text in each")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--batches", batches, "mini-batches to validate on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_option("--text", file, "any text")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  gt::manual_seed(seed);
  const Text text(file);
  const std::int64_t split = text.all.numel() * 9 / 10;
  const auto train = text.all[{gt::Slice{0, split}}], validation = text.all[{gt::Slice{split, text.all.numel()}}];
  const Transformer net(static_cast<std::int64_t>(text.alphabet.size()));
  fmt::print("{}", gt::nn::to_string(net));

  gt::optim::AdamW opt(net.parameters(), {.betas = {0.9, 0.99}, .weight_decay = 0.1});
  const std::int64_t warm_up = std::min<std::int64_t>(100, steps / 2);
  const gt::optim::JoinedLR schedule{
      {{gt::optim::LinearLR{.lr = 1e-3, .steps = warm_up, .start_factor = 0.01}, warm_up},
       {gt::optim::CosineLR{.lr = 1e-3, .steps = steps - warm_up, .eta_min = 1e-4}}}};
  auto bar = gt::report::progress(std::views::iota(std::int64_t{0}, steps));
  for (const std::int64_t step : bar) {
    opt.lr = schedule(step);
    opt.zero_grad();
    const auto loss = loss_of(net, batch_of(train, batch));
    loss.backward();
    gt::optim::clip_grad_norm(net.parameters(), 1);
    opt.step();
    bar.set("loss", loss);
  }

  fmt::print("{}\n", sample(net, text, 400));
  const gt::NoGrad off;
  gt::report::RunningMean mean;
  for (std::int64_t i = 0; i < batches; ++i) mean.add(loss_of(net, batch_of(validation, batch)).item());
  fmt::print("validation loss: {:.4f}\n", mean.mean());
} catch (const std::exception& error) {
  fmt::print(stderr, "13_transformer: {}\n", error.what());
  return 1;
}

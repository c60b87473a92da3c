// Graph convolution: 34 members of a karate club, who met whom outside of it, and how the club split in two
// (W. Zachary, An Information Flow Model for Conflict and Fission in Small Groups, 1977). The network knows the side of
// two members alone, the instructor (0) and the president (33), and finds the others' from the graph:
//   z = Â relu(Â X W₀) W₁,  Â = D^(-1/2) (A + I) D^(-1/2)      (T. Kipf and M. Welling, ICLR 2017)
// with one input for each member, X = I, so that X W₀ = W₀.

#include <gradtape/gradtape.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

constexpr std::int64_t members = 34;

/// The friends of each member that have a higher number.
const std::vector<std::vector<int>> friends = {{1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31},
                                               {2, 3, 7, 13, 17, 19, 21, 30},
                                               {3, 7, 8, 9, 13, 27, 28, 32},
                                               {7, 12, 13},
                                               {6, 10},
                                               {6, 10, 16},
                                               {16},
                                               {},
                                               {30, 32, 33},
                                               {33},
                                               {},
                                               {},
                                               {},
                                               {33},
                                               {32, 33},
                                               {32, 33},
                                               {},
                                               {},
                                               {32, 33},
                                               {33},
                                               {32, 33},
                                               {},
                                               {32, 33},
                                               {25, 27, 29, 32, 33},
                                               {25, 27, 31},
                                               {31},
                                               {29, 33},
                                               {33},
                                               {31, 33},
                                               {32, 33},
                                               {32, 33},
                                               {32, 33},
                                               {33}};

/// Side of each member after the split: 0 went with the instructor, 1 stayed with the president.
const auto sides = std::to_array(
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});

/// Â, [34, 34].
gt::Tensor normalised_adjacency() {
  std::vector<std::int64_t> from, to;
  for (std::size_t member = 0; member < friends.size(); ++member)
    for (const int other : friends[member]) from.push_back(static_cast<std::int64_t>(member)), to.push_back(other);
  const auto ends = [](const std::vector<std::int64_t>& at) {
    return gt::one_hot(gt::tensor(std::span(at), {at.size()}), members);
  };
  const auto one_way = gt::matmul(gt::transpose(ends(from)), ends(to));
  const auto a = one_way + gt::transpose(one_way) + gt::eye(members);
  const auto scale = 1 / gt::sqrt(gt::sum(a, {.axes = 1, .keepdims = true}));
  return scale * a * gt::transpose(scale);
}

struct Network : nn::Module {
  nn::Parameter w0{gt::zeros({members, 16})}, w1{gt::zeros({16, 2})};

  Network() { nn::init::xavier_uniform(w0), nn::init::xavier_uniform(w1); }
  /// Scores of the two sides for each member, [34, 2].
  gt::Tensor operator()(const gt::Tensor& a) const {
    return gt::matmul(a, gt::matmul(gt::relu(gt::matmul(a, w0)), w1));
  }
  void visit(nn::Visitor& v) override { v("w0", w0), v("w1", w1); }
};

/// How many of the 34 a trained network puts on the right side.
std::int64_t right_sides(std::uint64_t seed, int steps) {
  gt::manual_seed(seed);
  const auto a = normalised_adjacency();
  const auto known = gt::tensor({0, 33}, {.dtype = gt::i64}), known_sides = gt::tensor({0, 1}, {.dtype = gt::i64});
  const Network net;
  gt::optim::Adam opt(net.parameters(), {.lr = 0.01, .weight_decay = 5e-4});
  for (int step = 0; step < steps; ++step) {
    opt.zero_grad();
    gt::cross_entropy(gt::take(net(a), known), known_sides).backward();
    opt.step();
  }
  const gt::NoGrad off;
  const auto answers = gt::argmax(net(a)).to_vector<std::int64_t>();
  std::int64_t right = 0;
  for (std::size_t member = 0; member < answers.size(); ++member) right += answers[member] == sides[member];
  return right;
}

int main(int argc, char** argv) {
  int seeds = 10, steps = 200;
  CLI::App app("Finds the two sides of a karate club from its friendships.");
  app.add_option("--seeds", seeds, "networks to train")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", steps, "steps of each")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  int good = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto right = right_sides(static_cast<std::uint64_t>(seed), steps);
    good += right >= 32;
    fmt::print("seed {}: {} of {} members on the right side\n", seed, right, members);
  }
  fmt::print("seeds with at least 32 right: {}\n", good);
}

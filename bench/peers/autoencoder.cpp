// examples/14_autoencoder.cpp in libtorch: the same network, data and steps; its mean ELBO is what the example's goal
// goes by.  libtorch_autoencoder [epochs] [folder of the IDX files]

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/torch.h>
#include <zlib.h>

namespace {

constexpr std::int64_t pixels = 784, batch = 128, seeds = 3;

/// The first n pictures of a file, [n, 784], 0 to 1.
torch::Tensor load(const std::string& path, std::int64_t n) {
  constexpr std::size_t header = 16;
  std::vector<unsigned char> bytes(header + static_cast<std::size_t>(n * pixels));
  gzFile file = gzopen(path.c_str(), "rb");
  const bool whole =
      file && gzread(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size());
  gzclose(file);
  if (!whole) throw std::runtime_error(path + ": cannot be read");
  return torch::from_blob(bytes.data() + header, {n, pixels}, torch::kUInt8).to(torch::kFloat32) / 255;
}

struct Autoencoder : torch::nn::Module {
  torch::nn::Linear fc1{pixels, 400}, mean{400, 20}, log_variance{400, 20}, fc3{20, 400}, fc4{400, pixels};

  Autoencoder() {
    register_module("fc1", fc1), register_module("mean", mean), register_module("log_variance", log_variance);
    register_module("fc3", fc3), register_module("fc4", fc4);
  }

  torch::Tensor elbo(const torch::Tensor& x) {
    const auto h = torch::relu(fc1(x)), mu = mean(h), log_var = log_variance(h);
    const auto z = mu + torch::exp(0.5 * log_var) * torch::randn_like(mu);
    const auto logits = fc4(torch::relu(fc3(z)));
    const auto likelihood = -torch::binary_cross_entropy_with_logits(logits, x, {}, {}, at::Reduction::Sum);
    const auto divergence = 0.5 * torch::sum(mu * mu + torch::exp(log_var) - log_var - 1);
    return (likelihood - divergence) / x.size(0);
  }
};

double elbo_of_seed(std::uint64_t seed, int epochs, const torch::Tensor& train, const torch::Tensor& test) {
  torch::manual_seed(seed);
  Autoencoder net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto order = torch::randperm(train.size(0));
    for (const auto& rows : order.split(batch)) {
      opt.zero_grad();
      (-net.elbo(train.index_select(0, rows))).backward();
      opt.step();
    }
  }
  const torch::NoGradGuard off;
  return net.elbo(test).item<double>();
}

}  // namespace

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::stoi(argv[1]) : 10;
  const std::string folder = argc > 2 ? argv[2] : "/usr/share/datasets/fashion-mnist";
  const auto train = load(folder + "/train-images-idx3-ubyte.gz", 60000),
             test = load(folder + "/t10k-images-idx3-ubyte.gz", 10000);
  double total = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    total += elbo_of_seed(seed, epochs, train, test);
    std::printf("seed %d of %d done\n", static_cast<int>(seed), static_cast<int>(seeds));
  }
  std::printf("mean ELBO: %.2f\n", total / seeds);
}

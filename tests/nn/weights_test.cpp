#include <string>
#include <utility>
#include <vector>

#include "data/support.hpp"

namespace gt = gradtape;
using files::TempDir;
using gt::nn::load_weights, gt::nn::save_weights;

namespace {

/// Parameters and a buffer, some of them in a module inside.
struct Net : gt::nn::Module {
  gt::nn::Linear fc1{4, 3}, fc2{3, 2};
  gt::nn::Buffer mean{gt::zeros({3})};
  gt::nn::Buffer count{gt::tensor(0).to(gt::i64)};
  void visit(gt::nn::Visitor& v) override { v("fc1", fc1), v("fc2", fc2), v("mean", mean), v("count", count); }
};

Net trained() {
  Net net;
  net.mean = gt::randn({3});
  net.count = gt::tensor(9).to(gt::i64);
  return net;
}

std::vector<std::pair<std::string, gt::Tensor>> tensors(const gt::nn::Module& module) {
  auto all = module.named_parameters();
  for (auto& named : module.named_buffers()) all.push_back(std::move(named));
  return all;
}

bool equal(const gt::nn::Module& a, const gt::nn::Module& b) {
  const auto x = tensors(a), y = tensors(b);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i].first != y[i].first || !gt::equal(x[i].second, y[i].second)) return false;
  return x.size() == y.size();
}

}  // namespace

TEST_CASE("weights: saved, loaded, and the leaves stay") {
  const TempDir dir;
  const std::string path = dir / "net.safetensors";
  const Net net = trained();
  save_weights(net, path);
  Net other;
  const auto leaves = other.parameters();
  CHECK_FALSE(equal(net, other));
  load_weights(other, path);
  CHECK(equal(net, other));
  CHECK(gt::equal(leaves[0], net.fc1.weight));
  CHECK(leaves[0].is_leaf());

  save_weights(other, dir / "again");
  CHECK(files::read(path) == files::read(dir / "again"));
}

TEST_CASE("weights: names and layout are PyTorch's") {
  const TempDir dir;
  save_weights(Net(), dir / "net");
  const auto content = gt::io::read_safetensors(dir / "net");
  CHECK(content.metadata == decltype(content.metadata){{"format", "pt"}});
  std::vector<std::string> found;
  for (const auto& [name, tensor] : content.tensors) found.push_back(name + gt::to_string(tensor.shape()));
  CHECK(found == std::vector<std::string>{"count[]", "fc1.weight[3, 4]", "fc1.bias[3]", "fc2.weight[2, 3]",
                                          "fc2.bias[2]", "mean[3]"});
}

TEST_CASE("weights: half precision is taken up") {
  struct One : gt::nn::Module {
    gt::nn::Parameter w{gt::zeros({3})};
    void visit(gt::nn::Visitor& v) override { v("w", w); }
  } one;
  const TempDir dir;
  const std::string header = R"({"w":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}})";
  load_weights(one,
               dir.write("half", files::little_endian(header.size(), 8) + header + files::little_endian(0x3c00, 2) +
                                     files::little_endian(0xc000, 2) + files::little_endian(0x3555, 2)));
  CHECK(one.w.to_vector<float>() == std::vector<float>{1, -2, 0x1.554p-2F});
}

TEST_CASE("weights: what does not fit is listed in full, and nothing changes") {
  const TempDir dir;
  const std::string path = dir / "other";
  gt::io::Safetensors content{tensors(trained()), {}};
  content.tensors[0].second = gt::zeros({4, 3});
  content.tensors[1].second = gt::zeros({3}, {.dtype = gt::f64});
  content.tensors[2].first = "fc3.weight";
  content.tensors[5].second = gt::zeros({1}).to(gt::i64);
  gt::io::write_safetensors(path, content);
  Net net = trained();
  const Net before = net;
  CHECK_THROWS_WITH_AS(load_weights(net, path),
                       ("load_weights: " + path +
                        ": the state does not fit:\n"
                        "  fc1.weight: f32 [4, 3] instead of f32 [3, 4]\n"
                        "  fc1.bias: f64 [3] instead of f32 [3]\n"
                        "  fc2.weight: missing\n"
                        "  count: i64 [1] instead of i64 []\n"
                        "  fc3.weight: unknown")
                           .c_str(),
                       gt::ValueError);
  CHECK(equal(net, before));
}

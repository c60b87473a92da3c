#include <torch/torch.h>

int main() {
  const auto x = torch::ones({2}).set_requires_grad(true);
  (x * x).sum().backward();
}

#include <gradtape/gradtape.hpp>

int main() {
  const auto x = gradtape::parameter(gradtape::ones({2}));
  gradtape::sum(x * x).backward();
}

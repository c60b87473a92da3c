// Where gradtape was installed with its export to ONNX.
#include <gradtape/gradtape.hpp>
#include <gradtape/onnx/export.hpp>

int main(int /*argc*/, char** argv) {
  gradtape::nn::Linear net(3, 2);
  net.eval();
  gradtape::export_onnx(net, gradtape::zeros({1, 3}), argv[1]);
}

#include "case.hpp"

namespace {

using namespace oracle;

const Table elementwise = {
    {"neg", unary(any, [](const auto& x) { return -x; })},
    {"exp", unary(any, [](const auto& x) { return exp(x); })},
    {"log", unary(positive, [](const auto& x) { return log(x); })},
    {"sqrt", unary(positive, [](const auto& x) { return sqrt(x); })},
    {"square", unary(any, [](const auto& x) { return square(x); })},
    {"sin", unary(any, [](const auto& x) { return sin(x); })},
    {"cos", unary(any, [](const auto& x) { return cos(x); })},
    {"abs", unary(kink, [](const auto& x) { return abs(x); })},
    {"sigmoid", unary(any, [](const auto& x) { return sigmoid(x); })},
    {"tanh", unary(any, [](const auto& x) { return tanh(x); })},
    {"relu", unary(kink, [](const auto& x) { return relu(x); })},
    {"numbers", unary(kink, [](const auto& x) { return 2 * x - 3 / x + (1 - x) / 4; })},
    {"pow of a number", unary(any, [](const auto& x) { return pow(1.5, x); })},
    {"pow by a number", unary(any, [](const auto& x) { return pow(x, 3); })},
    {"add", binary(any, any, [](const auto& a, const auto& b) { return a + b; })},
    {"sub", binary(any, any, [](const auto& a, const auto& b) { return a - b; })},
    {"mul", binary(any, any, [](const auto& a, const auto& b) { return a * b; })},
    {"div", binary(any, kink, [](const auto& a, const auto& b) { return a / b; })},
    {"pow", binary(positive, any, [](const auto& a, const auto& b) { return pow(a, b); })},
    {"maximum", binary(tied, tied, [](const auto& a, const auto& b) { return maximum(a, b); })},
    {"minimum", binary(tied, tied, [](const auto& a, const auto& b) { return minimum(a, b); })},
    {"where", binary(any, any, [](const auto& a, const auto& b) { return where(a > b, a, b * b); })},
    {"==", binary(tied, tied, [](const auto& a, const auto& b) { return a == b; })},
    {"!=", binary(tied, tied, [](const auto& a, const auto& b) { return a != b; })},
    {"<", binary(tied, tied, [](const auto& a, const auto& b) { return a < b; })},
    {"<=", binary(tied, tied, [](const auto& a, const auto& b) { return a <= b; })},
    {">", binary(tied, tied, [](const auto& a, const auto& b) { return a > b; })},
    {">=", binary(tied, tied, [](const auto& a, const auto& b) { return a >= b; })},
};

}  // namespace

TEST_CASE("oracle: elementwise ops agree with libtorch") { compare(elementwise); }

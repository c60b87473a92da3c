#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace gt = gradtape;
namespace report = gradtape::report;

namespace {

/// A small network with a residual branch.
struct Net : gt::nn::Module {
  gt::nn::Linear first{16, 16}, second{16, 16}, last{16, 4};
  gt::Tensor operator()(const gt::Tensor& x) const {
    const auto h = gt::relu(first(x));
    return last(gt::relu(second(h)) + h);
  }
  void visit(gt::nn::Visitor& v) override { v("first", first), v("second", second), v("last_<b>\"layer\"", last); }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A report that has everything in it.
report::Report example() {
  gt::manual_seed(1);
  report::Report run("Ein Lauf & <script>alert('x')</script>");
  run.note("784-128-10, sigmoid, <mini-batches> of 64.");
  for (int step = 0; step < 3000; ++step) {
    const double loss = 2.3 * std::exp(-step / 400.) + 0.05 * std::sin(step * 0.7) * std::exp(-step / 2000.) + 0.11;
    run.log("loss/train", step, loss);
    if (step % 100 == 0) run.log("loss/test", step, loss + 0.03 + step * 1e-5);
    if (step % 100 == 0) run.log("accuracy", step, 1 - 0.9 * std::exp(-step / 500.));
    run.log("lr", step, 0.1 * (1 - step / 3000.));
  }
  run.log("lr", 3000, std::numeric_limits<double>::quiet_NaN());
  run.chart("loss", {.log_y = true});
  run.metric("test accuracy", 0.9153);
  run.metric("loss <of the last epoch>", gt::tensor(0.1234));
  const Net net;
  const auto loss = gt::cross_entropy(net(gt::randn({8, 16})), gt::zeros({8}, {.dtype = gt::i64}));
  run.graph(loss, {.names = net.named_parameters()});
  run.model(net);
  run.table("Confusion", {{"is", "cat", "dog"}, {"cat", "12", "3"}, {"dog", "1", "14"}});
  run.time("training", 12.345);
  return run;
}

}  // namespace

TEST_CASE("report: everything is there and what a user names is escaped") {
  const std::string html = example().html();
  CHECK(contains(html, "<h1>Ein Lauf &amp; &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</h1>"));
  CHECK(!contains(html, "<script"));
  CHECK(contains(html, "784-128-10, sigmoid, &lt;mini-batches&gt; of 64."));
  CHECK(contains(html, "<dt>test accuracy</dt><dd>0.9153</dd>"));
  CHECK(contains(html, "<dt>loss &lt;of the last epoch&gt;</dt><dd>0.1234</dd>"));
  CHECK(contains(html, "<figcaption>loss</figcaption>"));
  CHECK(contains(html, "step, logarithmic scale"));
  CHECK(contains(html,
                 "<td>last_&lt;b&gt;&quot;layer&quot;.weight</td><td>[4, 16]</td><td>f32</td>"
                 "<td class=\"number\">64</td>"));
  CHECK(contains(html, "<td>all</td><td></td><td></td><td class=\"number\">612</td>"));
  CHECK(contains(html, "<td>dog</td><td class=\"number\">1</td><td class=\"number\">14</td>"));
  CHECK(contains(html, "<td>training</td><td class=\"number\">12.35</td>"));
  CHECK(contains(html, "cross_entropy</text>"));
  CHECK(html.size() < 200'000);  // 3,000 points are not all drawn
  for (const char* outside : {"http:", "https:", "src=", "@import"}) CHECK(!contains(html, outside));
}

TEST_CASE("report: without figures the last values of the curves stand there") {
  report::Report run("x");
  run.log("loss/train", 1, 3);
  run.log("loss/train", 2, 2);
  run.log("rate", 2, 0.5);
  CHECK(contains(run.html(), "<dt>loss, train</dt><dd>2</dd>"));
  CHECK(contains(run.html(), "<dt>rate</dt><dd>0.5</dd>"));
}

TEST_CASE("report: an empty one and curves of any values") {
  CHECK(contains(report::Report("").html(), "</html>"));
  constexpr double inf = std::numeric_limits<double>::infinity(), largest = std::numeric_limits<double>::max();
  for (const double value : {0., -1., 1e-310, inf, -inf, std::nan(""), largest})
    for (const double other : {0., 1., value, -value})
      for (const bool log_y : {false, true}) {
        CAPTURE(value);
        CAPTURE(other);
        report::Report run("x");
        run.chart("y", {.log_y = log_y});
        run.log("y", 0, value);
        run.log("y", 1, other);
        const std::string html = run.html(), svg = html.substr(html.find("<svg class=\"chart\""));
        const std::string drawn = svg.substr(0, svg.find("</svg>"));
        CHECK(!contains(drawn, "nan"));
        CHECK(!contains(drawn, "inf"));
      }
}

TEST_CASE("report: a long curve is its means over the band in which it moves") {
  report::Report run("x");
  for (int i = 0; i < 10'000; ++i) run.log("y", i, 1 + i % 2);
  const std::string html = run.html();
  const auto points = [&](const std::string& start) {
    const std::string path = html.substr(html.find(start));
    return std::ranges::count(path.substr(0, path.find("/>")), 'L') + 1;
  };
  CHECK(points("<path class=\"s0 faint\"") == 800);
  CHECK(points("<path class=\"s0\"") == 100);
}

TEST_CASE("report: values as close as doubles can be") {
  report::Report run("x");
  run.log("y", 0, 1e16);
  run.log("y", 1, 1e16 + 2);
  CHECK(contains(run.html(), "</html>"));
}

TEST_CASE("report: a gap where a value is not finite and a dot where it stands alone") {
  report::Report run("x");
  for (const double value : {1., 2., std::nan(""), 3., std::nan(""), 4., 5.})
    run.log("y", value == value ? value : 2.5, value);
  const std::string html = run.html(), path = html.substr(html.find("<path class=\"s0\" d=\"M"));
  const std::string curve = path.substr(0, path.find("/>"));
  CHECK(std::ranges::count(curve, 'M') == 3);
  CHECK(contains(html, "<circle class=\"d0\""));
}

TEST_CASE("report: a graph too large to draw is told and a long chain is one box") {
  const auto w = gt::parameter(gt::tensor(1.));
  auto y = w * w, z = y;
  for (int i = 0; i < 10'000; ++i) y = gt::sigmoid(y);
  report::Report run("x");
  run.graph(y);
  CHECK(contains(run.html(), "more lines …"));
  for (int i = 0; i < 10'000; ++i) z = z * gt::sigmoid(z);
  run.graph(z);
  CHECK(contains(run.html(), "<p>The graph has 20002 nodes, too many to draw.</p>"));
}

TEST_CASE("report: what goes wrong is told") {
  report::Report run("x");
  CHECK_THROWS_WITH_AS(
      run.write("no/such/folder/report.html"),
      "cannot write no/such/folder/report.html: open the folder no/such/folder/: No such file or directory",
      gt::FileError);
  CHECK_THROWS_WITH_AS(run.write("/dev/full"), "cannot write /dev/full: it is no regular file", gt::FileError);
  CHECK_THROWS_WITH_AS(run.table("t", {{"a", "b"}, {"1"}}), "Report::table: a row of 1 cells under 2 columns",
                       gt::ShapeError);
}

TEST_CASE("report: the file holds the document") {
  example().write("report.html");  // which tests/report/render.sh looks at
  std::ifstream file("report.html");
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str().starts_with("<!doctype html>"));
  CHECK(text.str().ends_with("</html>\n"));
}

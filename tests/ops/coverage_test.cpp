#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>
#include <ops/rows.hpp>

namespace {

/// A function of a public header of ops/ that returns tensors, as it is read from there when the tests are built.
struct PublicOp {
  std::string name, header, signature, documentation;
};
const std::vector<PublicOp> public_ops = {
#include <public_ops.inc>
};

/// Spelled another way, an op need not be tested again.
const std::map<std::string, std::string> other_spelling = {
    {"operator+", "add"}, {"operator-", "sub"}, {"operator*", "mul"}, {"operator/", "div"}, {"operator==", "eq"},
    {"operator!=", "ne"}, {"operator<", "lt"},  {"operator<=", "le"}, {"operator>", "gt"},  {"operator>=", "ge"},
};

/// All rows by op; an op of several results has one for each.
std::map<std::string, cases::Row> rows() {
  std::map<std::string, cases::Row> out;
  for (const auto& family : cases::Rows::all())
    for (const cases::Row& row : family) {
      const auto [at, fresh] = out.emplace(row.op, row);
      if (fresh) continue;
      at->second.order = std::max(at->second.order, row.order);
      at->second.calls.insert(at->second.calls.end(), row.calls.begin(), row.calls.end());
      at->second.misuse.insert(at->second.misuse.end(), row.misuse.begin(), row.misuse.end());
    }
  out.erase("indexing");  // a member, x[{…}]
  return out;
}

/// The text of docs/ops.md.
std::string table() {
  std::string out =
      "# Operations\n\nRead from the headers in ops/ and from the tests: a gradient of any order, recorded by the op's "
      "own rule, or none. "
      "The order in brackets is the highest that the tests compare with differences.\n";
  const auto tested = rows();
  std::string header;
  for (const PublicOp& op : public_ops) {
    if (other_spelling.contains(op.name)) continue;
    if (op.header != header) {
      header = op.header;
      out += fmt::format("\n## [{0}](../ops/{0})\n\n| op | | gradient |\n|---|---|---|\n", header);
    }
    const auto row = tested.find(op.name);
    const std::string gradient =
        row == tested.end() || row->second.order == 0 ? "none" : fmt::format("any order ({})", row->second.order);
    std::string documentation;
    for (const char c : op.documentation) documentation += c == '|' ? "\\|" : std::string(1, c);
    out +=
        fmt::format("| `{}` | {} | {} |\n", op.signature.substr(op.signature.find(op.name)), documentation, gradient);
  }
  return out;
}

}  // namespace

TEST_CASE("coverage: every public op has rows of calls and of misuse") {
  const auto tested = rows();
  std::set<std::string> names;
  for (const PublicOp& op : public_ops) {
    CAPTURE(op.name);
    names.insert(op.name);
    if (const auto other = other_spelling.find(op.name); other != other_spelling.end()) {
      CHECK(tested.contains(other->second));
      continue;
    }
    CHECK(!op.documentation.empty());
    const auto row = tested.find(op.name);
    CHECK(row != tested.end());
    if (row == tested.end()) continue;
    CHECK(!row->second.calls.empty());
    CHECK(!row->second.misuse.empty());
  }
  for (const auto& [op, row] : tested) {
    CAPTURE(op);
    CHECK(names.contains(op));
  }
}

TEST_CASE("coverage: every op on tensors is called without elements and with several numbers of axes") {
  for (const auto& [op, row] : rows()) {
    CAPTURE(op);
    bool empty = false;
    std::set<int> ranks;
    for (const cases::Call& call : row.calls)
      for (const gradtape::Tensor& x : call.inputs()) {
        empty |= x.numel() == 0;
        ranks.insert(x.rank());
      }
    if (ranks.empty()) continue;  // it makes its result from numbers
    CHECK((empty || row.empty_is_misuse));
    CHECK((ranks.size() > 1 || row.one_rank));
  }
}

TEST_CASE("coverage: docs/ops.md shows the ops as they are") {
  std::ifstream file(GRADTAPE_DOCS "/ops.md");
  const std::string shown{std::istreambuf_iterator<char>(file), {}}, expected = table();
  if (shown != expected) std::ofstream("ops.md") << expected;
  INFO("what it should be stands in ops.md, where the tests ran: copy it to docs/");
  CHECK(shown == expected);
}

# Lists the ops that public headers declare as C++ initialisers {name, header, signature, documentation}, for the tests that all
# of them are tested and that docs/ops.md shows them:  awk -f public_ops.awk ops/*.hpp
# An op is a function at the start of a line, outside of namespace detail, that returns tensors: Tensor, a container of them, or a
# struct of results.
FNR == 1 { header = FILENAME; sub(/.*\//, "", header); inside = 0; text = "" }
/^namespace detail \{/ { inside = 1 }
/^\}  \/\/ namespace detail/ { inside = 0 }
/^\/\/\/ / { text = text (text == "" ? "" : " ") substr($0, 5); next }
!inside && match($0, /^(Tensor|std::(vector|array|pair)<Tensor[^>]*>|[A-Z][A-Za-z]*Result) (operator)?[a-z_0-9=!<>+*\/-]+\(/) {
  name = substr($0, RSTART, RLENGTH - 1)
  sub(/.* /, "", name)
  line = $0
  while (line !~ /;/ && (getline more) > 0) {
    sub(/^ +/, " ", more)
    line = line more
  }
  signature = line
  sub(/;.*/, "", signature)
  if (match(line, /\/\/\/< /)) text = substr(line, RSTART + 5)
  if (!(name in seen)) printf "{\"%s\", \"%s\", R\"~(%s)~\", R\"~(%s)~\"},\n", name, header, signature, text
  seen[name] = 1
  text = ""
  next
}
{ text = "" }

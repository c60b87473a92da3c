# Lists the ops that public headers declare, one quoted name a line, for the test that all of them are tested:
#   awk -f public_ops.awk ops/*.hpp
# An op is a function at the start of a line that returns tensors: Tensor, a container of them, or a struct of results.
/^namespace detail \{/ { inside = 1 }
/^\}  \/\/ namespace detail/ { inside = 0 }
!inside && match($0, /^(Tensor|std::(vector|array|pair)<Tensor[^>]*>|[A-Z][A-Za-z]*Result) (operator)?[a-z_0-9=!<>+*\/-]+\(/) {
  name = substr($0, RSTART, RLENGTH - 1)
  sub(/.* /, "", name)
  if (!(name in seen)) printf "\"%s\",\n", name
  seen[name] = 1
}

#!/bin/sh
# symbols.sh LIBRARY…: what a shared library exports is in namespace gradtape, or formats what is there, and has no type of
# another library in its name.
set -eu
for library; do
  symbols=$(nm -D --defined-only "$library" | cut -d ' ' -f 3)
  names=$(echo "$symbols" | c++filt)
  if echo "$symbols" | grep -vE '^_Z(|Z|GV|GVZ|T[A-Z])N[KVRO]*8gradtape|^_ZNK?3fmt2v[0-9]+9formatterIN8gradtape'; then
    echo "exported by $library, and not in namespace gradtape"
    exit 1
  fi
  if echo "$names" | grep -E '\<(xt|xtl|xsimd|xflens|nlohmann|r123|doctest)::'; then
    echo "exported by $library, with types that change with the flags of who compiles them"
    exit 1
  fi
  echo "$(echo "$names" | wc -l) names of $library"
done

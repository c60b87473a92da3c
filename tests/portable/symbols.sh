#!/bin/sh
# symbols.sh LIBRARY…: what a shared library exports is in namespace gradtape, and no type of another library is part of it.
set -eu
for library; do
  symbols=$(nm -D --defined-only "$library" | cut -d ' ' -f 3)
  names=$(echo "$symbols" | c++filt)
  if echo "$symbols" | grep -vE '^_Z(|Z|GV|GVZ|T[A-Z])N[KVRO]*8gradtape'; then
    echo "exported by $library, and not in namespace gradtape"
    exit 1
  fi
  if echo "$names" | grep -E '\<(xt|xtl|xsimd|xflens|nlohmann|r123|doctest)::'; then
    echo "exported by $library, with types that change with the flags of who compiles them"
    exit 1
  fi
  echo "$(echo "$names" | wc -l) names of $library"
done

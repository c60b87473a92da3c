#!/bin/sh
# check.sh EARLIER.o LATER.o: one source compiled for two instruction sets. Of a function that both objects define weakly the
# linker keeps either copy, so none may hold an instruction of the later set (VEX and EVEX mnemonics begin with v).
set -eu
weak() { nm -C "$1" | sed -n 's/^[0-9a-f]* [WVu] //p' | sort -u; }

shared=$(mktemp) earlier=$(mktemp)
trap 'rm -f "$shared" "$earlier"' EXIT
weak "$1" > "$earlier"
weak "$2" | comm -12 "$earlier" - > "$shared"

objdump -d -C --no-show-raw-insn "$2" | awk -v list="$shared" '
  BEGIN { while ((getline name < list) > 0) shared[name] = 1 }
  /^[0-9a-f]+ <.*>:$/ { name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name) }
  /\tv[a-z0-9]+ / { later++; if (name in shared) clash[name]++ }
  END {
    for (name in clash) { print "both objects define it, with " clash[name] " later instructions: " name; bad = 1 }
    if (!bad) print later + 0 " instructions of the later set, none of them in a function that both objects define"
    exit bad
  }'

#!/usr/bin/env bash
# Runs a program, prints the figure that ends its last line, and fails unless that reaches a goal:
#   reaches.sh "<= 1e-4" program arguments…        what the program prints goes to stderr
set -euo pipefail

goal=$1
shift
figure=$("$@" | tee >(cat >&2) | tail -n 1 | grep -o '[^ ]*$')
echo "$figure"
[[ $figure =~ ^-?[0-9.]+(e[-+]?[0-9]+)?$ ]] && awk "BEGIN { exit !($figure $goal) }"

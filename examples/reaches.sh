#!/usr/bin/env bash
# Runs a program, prints the figures that end its last lines, and fails unless each reaches its goal:
#   reaches.sh "<= 1e-4" program arguments…            one figure; what the program prints goes to stderr
#   reaches.sh ">= 0.95, <= 5" program arguments…      those of the last two lines
set -euo pipefail

IFS=, read -ra goals <<<"$1"
shift
output=$("$@" | tee >(cat >&2))
mapfile -t figures < <(tail -n "${#goals[@]}" <<<"$output" | grep -o '[^ ]*$')
echo "${figures[@]}"
for i in "${!goals[@]}"; do
  [[ ${figures[i]:-} =~ ^-?[0-9.]+(e[-+]?[0-9]+)?$ ]] && awk "BEGIN { exit !(${figures[i]} ${goals[i]}) }"
done

#!/usr/bin/env bash
# Runs exported models in onnxruntime: onnxruntime.sh MODELS PACKAGES; 77 where node or the package cannot be had.
set -euo pipefail
models=$1 packages=$2
command -v node >/dev/null && command -v npm >/dev/null || { echo "node and npm are not installed"; exit 77; }
mkdir -p "$packages"
if [[ ! -d $packages/node_modules/onnxruntime-node ]]; then
  npm install --silent --ignore-scripts --no-save --prefix "$packages" onnxruntime-node@1.20.1 ||
    { echo "onnxruntime-node cannot be had"; exit 77; }
fi
exec node "$(dirname "$0")/onnxruntime.mjs" "$models" "$packages"

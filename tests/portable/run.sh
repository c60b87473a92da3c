#!/bin/sh
# run.sh LEVEL LIBRARY_PATH PROGRAM: runs it with the library that the loader takes for this level of x86-64. The loader
# searches the folders of the levels in its mask only. Exits with 77 where the processor is below the level.
set -eu
loader=/lib64/ld-linux-x86-64.so.2
if ! "$loader" --help | grep -q "^  $1 (supported"; then
  echo "this processor has no $1"
  exit 77
fi
export GRADTAPE_TEST_LEVEL="$1"
exec "$loader" --library-path "$2" --glibc-hwcaps-mask "$1" "$3"

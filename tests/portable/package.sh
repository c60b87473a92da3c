#!/bin/sh
# package.sh BUILD FOLDER: the Debian package of a build holds the library of each level, headers, and what finds them; it
# depends on the libraries that these need.
set -eu
rm -rf "$2"
mkdir -p "$2"
cpack --config "$1/CPackConfig.cmake" -B "$2" >"$2/log" || { cat "$2/log"; exit 1; }
package=$(echo "$2"/*.deb)
contents=$(dpkg-deb -c "$package")
depends=$(dpkg-deb -f "$package" Depends)
for file in lib/libgradtape.so lib/libgradtape.so.0 lib/glibc-hwcaps/x86-64-v3/libgradtape.so.0 \
            lib/glibc-hwcaps/x86-64-v4/libgradtape.so.0 include/gradtape/gradtape.hpp include/gradtape/xtensor.hpp \
            include/gradtape/ops/rules/activation.hpp lib/pkgconfig/gradtape.pc lib/cmake/gradtape/gradtape-config.cmake; do
  echo "$contents" | grep -q " \./usr/$file\( ->.*\)\?$" || { echo "not in the package: $file"; exit 1; }
done
for library in libc6 libstdc++6 libfmt9 libopenblas0 libdnnl2 libpng16-16 zlib1g libfmt-dev libxtensor-dev libxsimd-dev; do
  echo "$depends" | grep -q "\b$library\b" || { echo "$package does not depend on $library, only on $depends"; exit 1; }
done
ls -l "$package"

#!/usr/bin/env bash
# Looks at a report in headless Chromium: what it must show is there, the console is silent, and at the width of a phone
# nothing sticks out. 77: there is no Chromium.
#   render.sh TESTS FOLDER    TESTS is the test program, which writes the report into FOLDER
set -euo pipefail
tests=$1 folder=$2

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
mkdir -p "$folder"
cd "$folder"
"$tests" --test-case="report: the file holds the document" >/dev/null

run() {
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --user-data-dir="$profile" --enable-logging=stderr "$@" 2>log
  if grep -E 'CONSOLE|net_error' log; then fail "the console is not silent"; fi
}
fail() {
  echo "render.sh: $*" >&2
  exit 1
}

# A window is never narrower than 500 px, so a frame stands in for the phone; what it measures becomes its title.
measure='<!doctype html><title>?</title><body><script>
  for (const width of [320, 390, 1280]) {
    const frame = document.createElement("iframe")
    frame.style.width = width + "px"
    frame.src = "report.html"
    frame.onload = () => {
      const page = frame.contentDocument, root = page.documentElement, text = page.querySelector(".chart text")
      const out = document.createElement("p")
      out.textContent = `${width}: ${root.scrollWidth - root.clientWidth} px over, ` +
        `${page.querySelectorAll("figure svg.chart path").length} curves, ${page.querySelectorAll(".graph rect").length} boxes, ` +
        `text ${text.getBoundingClientRect().height >= 10 ? "legible" : "small"}`
      document.body.append(out)
    }
    document.body.append(frame)
  }
</script>'
printf '%s' "$measure" >measure.html
run --allow-file-access-from-files --virtual-time-budget=5000 --dump-dom "file://$PWD/measure.html" >dom.html
for width in 320 390 1280; do
  grep -q "<p>$width: 0 px over, 6 curves, 3 boxes, text legible</p>" dom.html ||
    fail "$(grep -o "<p>$width: [^<]*" dom.html || echo "no measures at $width px")"
done

run --dump-dom "file://$PWD/report.html" >dom.html
for what in '<h1>Ein Lauf &amp; &lt;script&gt;' '<figcaption>accuracy</figcaption>' '<table>' 'first.weight'; do
  grep -qF "$what" dom.html || fail "the page lacks $what"
done
for width in 390 1280; do
  run --window-size="$width,2400" --screenshot="report-$width.png" "file://$PWD/report.html"
  [[ -s report-$width.png ]] || fail "no picture at $width px"
done
run --print-to-pdf=report.pdf "file://$PWD/report.html"
[[ $(head -c 5 report.pdf) == %PDF- ]] || fail "it cannot be printed"

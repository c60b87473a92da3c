#pragma once

#include <string_view>

namespace gradtape::inline v0::report::detail {

/// The look of a report: one column on a phone, two for charts where there is room; light, dark and on paper.
inline constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --quiet: #636a73; --rule: #dfe3e8; --box: #f5f7f9;
  --c0: #1f6fb2; --c1: #c8501e; --c2: #2b8a57; --c3: #8a4fb0; --c4: #a9791c; --c5: #b83a6a; --c6: #287f8f; --c7: #6b6f76; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #e6e8eb; --quiet: #9aa2ac; --rule: #31363c; --box: #1e2125;
    --c0: #6bb1ea; --c1: #f08e5e; --c2: #65c490; --c3: #c397e4; --c4: #dbb14f; --c5: #ec85ab; --c6: #66bfce; --c7: #a9aeb6; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; letter-spacing: -.01em; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--rule); font-size: 1.05rem; }
header p { margin: .25rem 0 0; color: var(--quiet); font-size: .875rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem 1.5rem; margin: 1.5rem 0 0; }
.figures div { display: flex; flex-direction: column; justify-content: end; }
.figures dt { color: var(--quiet); font-size: .8125rem; }
.figures dd { margin: 0; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 2rem 2.5rem; }
figure { margin: 0; max-width: 30rem; min-width: 0; break-inside: avoid; }
figcaption { margin-bottom: .25rem; font-weight: 600; font-size: .9375rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; margin: .25rem 0 0; padding: 0; list-style: none; font-size: .8125rem; }
.legend svg { width: 1.5rem; height: .6rem; margin-right: .4rem; }
.legend b { margin-left: .4rem; font-weight: 600; font-variant-numeric: tabular-nums; }
svg { vertical-align: middle; }
svg text { fill: var(--quiet); font-size: 11px; font-variant-numeric: tabular-nums; }
.end { text-anchor: end; } .mid { text-anchor: middle; }
.chart { display: block; width: 100%; height: auto; }
.grid { stroke: var(--rule); } .axis { stroke: var(--quiet); }
[class^="s"] { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.faint { stroke-width: 1; opacity: .3; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); }
.s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); } .s6 { stroke: var(--c6); } .s7 { stroke: var(--c7); }
.d0 { fill: var(--c0); } .d1 { fill: var(--c1); } .d2 { fill: var(--c2); } .d3 { fill: var(--c3); }
.d4 { fill: var(--c4); } .d5 { fill: var(--c5); } .d6 { fill: var(--c6); } .d7 { fill: var(--c7); }
.wide { overflow-x: auto; }
.graph text { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.graph text.op { fill: var(--ink); } .graph text.op:not(.end) { font-weight: 600; }
.graph rect { fill: var(--box); stroke: var(--rule); } .graph > path { fill: none; stroke: var(--quiet); }
.tip { fill: var(--quiet); }
table { border-collapse: collapse; min-width: min(100%, 30rem); font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 500; white-space: nowrap; } .number { text-align: right; padding-right: 0; white-space: nowrap; }
td { min-width: 3.5rem; } td + td { white-space: nowrap; } tfoot td { border-bottom: 0; font-weight: 600; }
pre { margin: 0; overflow-x: auto; font: .8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: normal; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --box: #fff;
    --c0: #1f6fb2; --c1: #c8501e; --c2: #2b8a57; --c3: #8a4fb0; --c4: #a9791c; --c5: #b83a6a; --c6: #287f8f; --c7: #6b6f76; }
  body { padding: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; } .wide, pre { overflow: visible; } pre { white-space: pre-wrap; }
  tfoot { display: table-row-group; } .graph { max-width: 100%; max-height: 24cm; height: auto; }
  .s1 { stroke-dasharray: 7 3; } .s2 { stroke-dasharray: 2 3; } .s3 { stroke-dasharray: 8 3 2 3; }
  .s5 { stroke-dasharray: 7 3; } .s6 { stroke-dasharray: 2 3; } .s7 { stroke-dasharray: 8 3 2 3; } }
)css";

}  // namespace gradtape::inline v0::report::detail

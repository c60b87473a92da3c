"""Runs the benchmarks of gradtape and of its peers in turn and prints a table. Called by script/bench."""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

SIDES = {"gradtape": "gradtape_bench", "libtorch": "libtorch_bench", "hand-written": "hand_written_bench"}
GOALS = {  # libtorch / gradtape, at least
    "chain 1000 forward+backward": 50,
    "MLP 2-8-1 B4": 40,
    "MLP 784-128-10 B64": 1.8,
}

PACKAGES = {"g++": "g++", "libtorch": "libtorch-dev", "OpenBLAS": "libopenblas-dev", "oneDNN": "libdnnl-dev"}


class Side:
    """One program, kept running, that times a workload when asked."""

    def __init__(self, program, seconds):
        names = subprocess.run([program, "--benchmark_list_tests"], check=True, capture_output=True, text=True)
        self.workloads = list(dict.fromkeys(line.split("/")[0] for line in names.stdout.splitlines()))
        self.process = subprocess.Popen(
            [program, f"--benchmark_min_time={seconds}", "--serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def time(self, workload):
        """Microseconds; of the fastest where the program knows several ways."""
        print("^" + re.sub(r"[^\w ]", ".", workload) + "/", file=self.process.stdin)
        return min(map(float, self.process.stdout.readline().split()))


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def measure(sides, workloads, rounds):
    """workload -> side -> a time for each round. Sides take turns, so that the drift of a shared machine cancels."""
    times = {w: {name: [] for name, side in sides.items() if w in side.workloads} for w in workloads}
    for round in range(rounds):
        for i, (workload, by_side) in enumerate(times.items()):
            progress(f"round {round + 1} of {rounds}, workload {i + 1} of {len(times)}")
            for name, samples in by_side.items():
                samples.append(sides[name].time(workload))
    progress("")
    return times


def summarize(workload, by_side):
    """Medians over the rounds; the ratio's is that of the rounds' ratios."""
    row = {"workload": workload}
    row |= {f"{name} us": statistics.median(by_side[name]) if name in by_side else None for name in SIDES}
    ratio = statistics.median(t / g for t, g in zip(by_side["libtorch"], by_side["gradtape"]))
    goal = GOALS.get(workload)
    return row | {"libtorch/gradtape": ratio, "goal": goal, "met": ratio >= goal if goal else None}


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def print_table(rows):
    line = "{:<28} {:>12} {:>12} {:>11} {:>18}  {}"
    print(line.format("workload", "gradtape µs", "libtorch µs", "by hand µs", "libtorch/gradtape", "goal"))
    for row in rows:
        figures = [figure(row[f"{name} us"]) for name in SIDES] + [figure(row["libtorch/gradtape"])]
        goal = f"≥ {row['goal']}: {'met' if row['met'] else 'MISSED'}" if row["goal"] else ""
        print(line.format(row["workload"], *figures, goal).rstrip())


def environment():
    """The processor and the versions of what is compared."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)", cpuinfo, re.MULTILINE)
    widest = next((name for name in ("avx512f", "avx2") if name in cpuinfo), "no avx2")
    found = {"processor": f"{model[1] if model else 'unknown'} ({widest})"}
    for name, package in PACKAGES.items():
        query = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
        found[name] = re.sub(r"^\d+:|[+-].*", "", query.stdout) or "unknown"
    return found


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description="gradtape against its peers")
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("match", nargs="?", default="", help="only workloads whose name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: within a minute")
    options = parser.parse_args()

    rounds, seconds = (3, 0.05) if options.quick else (9, 0.2)
    sides = {name: Side(options.programs / program, seconds) for name, program in SIDES.items()}
    workloads = [w for w in sides["gradtape"].workloads if options.match in w]
    if not workloads:
        parser.error(f"no workload contains '{options.match}'")

    header = environment()
    print(", ".join(value if key == "processor" else f"{key} {value}" for key, value in header.items()))
    print(f"f32, one thread; processor time, medians of {rounds} alternating rounds\n")
    rows = [summarize(*item) for item in measure(sides, workloads, rounds).items()]
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps({**header, "rounds": rounds, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()

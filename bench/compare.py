"""Measures gradtape against its peers and prints the tables. Called by script/bench."""

import argparse
import json
import re
import statistics
import subprocess
from pathlib import Path

import costs
import goals
from sides import PROGRAMS, Side, measure

PACKAGES = {"g++": "g++", "libtorch": "libtorch-dev", "OpenBLAS": "libopenblas-dev", "oneDNN": "libdnnl-dev"}
PROCESSOR, REAL = 0, 1  # of a time


def median(samples, clock):
    return statistics.median(sample[clock] for sample in samples)


def ratio(samples, others, clock):
    """The median of the rounds' ratios."""
    return statistics.median(a[clock] / b[clock] for a, b in zip(samples, others))


def speed_row(workload, by_side):
    times = {f"{name} us": median(by_side[name], PROCESSOR) if name in by_side else None for name in PROGRAMS}
    gain = ratio(by_side["libtorch"], by_side["gradtape"], PROCESSOR)
    share = ratio(by_side["by hand"], by_side["gradtape"], PROCESSOR) if "by hand" in by_side else None
    goal, share_goal = goals.SPEED.get(workload, (None, None))
    met = None if goal is None else goals.met(gain, goal) and (share_goal is None or goals.met(share, share_goal))
    return {"workload": workload, **times, "libtorch/gradtape": gain, "share of limit": share, "goal": goal,
            "share goal": share_goal, "met": met}


def thread_row(workload, by_side):
    times = {f"{name} us": median(samples, REAL) for name, samples in by_side.items()}
    gain = ratio(by_side["one thread"], by_side["two threads"], REAL)
    goal = goals.GAIN[workload]
    return {"workload": workload, **times, "gain": gain, "goal": goal, "met": goals.met(gain, goal)}


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def factor(value):
    """A ratio, to the two places at which it is compared with its goal."""
    return f"{value:.2f}"


def verdict(row, goal):
    return f"{goal}: {'met' if row['met'] else 'MISSED'}" if row["goal"] else ""


def print_table(line, head, rows):
    print(line.format(*head))
    for row in rows:
        print(line.format(*row).rstrip())


def speed_cells(row):
    share = "" if row["share of limit"] is None else f"{100 * row['share of limit']:.0f} %"
    goal = f"≥ {row['goal']}" + (" and the limit" if row["share goal"] else "")
    return (row["workload"], *(figure(row[f"{name} us"]) for name in PROGRAMS), factor(row["libtorch/gradtape"]), share,
            verdict(row, goal))


def thread_cells(row):
    times = (figure(row[f"{name} us"]) for name in ("one thread", "two threads", "libtorch, two"))
    return (row["workload"], *times, factor(row["gain"]), verdict(row, f"≥ {row['goal']}"))


def cost_cells(row):
    limit = "≤ libtorch" if row["goal"] == row["libtorch"] else f"< {row['goal']}"
    return (row["cost"], figure(row["gradtape"]), figure(row["libtorch"]), verdict(row, limit))


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
    parser.add_argument("match", nargs="?", default="", help="only workloads whose name contains this, and no costs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: within a minute")
    options = parser.parse_args()

    rounds, seconds = (3, 0.03) if options.quick else (9, 0.2)
    sides = {name: Side(options.programs / program, seconds) for name, program in PROGRAMS.items()}
    workloads = [w for w in sides["gradtape"].workloads if options.match in w]
    if not workloads:
        parser.error(f"no workload contains '{options.match}'")

    header = environment()
    print(", ".join(value if key == "processor" else f"{key} {value}" for key, value in header.items()))
    print(f"f32, medians of {rounds} alternating rounds\n")

    print("One thread, processor time. CNN, LSTM and Transformer by hand: their multiplications alone.\n")
    speed = [speed_row(*item) for item in measure(sides, workloads, rounds).items()]
    print_table("{:<28} {:>12} {:>12} {:>11} {:>18} {:>12}  {}",
                ("workload", "gradtape µs", "libtorch µs", "by hand µs", "libtorch/gradtape", "of the limit", "goal"),
                map(speed_cells, speed))

    on_two = {"one thread": sides["gradtape"],
              "two threads": Side(options.programs / PROGRAMS["gradtape"], seconds, threads=2),
              "libtorch, two": Side(options.programs / PROGRAMS["libtorch"], seconds, threads=2)}
    gaining = [w for w in goals.GAIN if w in workloads]
    threads = [thread_row(*item) for item in measure(on_two, gaining, rounds).items()]
    if threads:
        print("\ngradtape on one thread and on two, libtorch on two; real time, which other programs lengthen.\n")
        print_table("{:<28} {:>12} {:>12} {:>12} {:>16}  {}",
                    ("workload", "one µs", "two µs", "libtorch µs", "one/two", "goal"), map(thread_cells, threads))

    around = []
    if not options.match:
        print("\nAround the work, processor time.\n")
        around = costs.measure(options.programs, rounds)
        print_table("{:<41} {:>12} {:>12}  {}", ("cost", "gradtape", "libtorch", "goal"), map(cost_cells, around))

    if options.json:
        figures = {**header, "rounds": rounds, "one thread": speed, "two threads": threads, "costs": around}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

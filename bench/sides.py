"""The programs that are compared, and how they take turns."""

import os
import re
import subprocess
import sys
import time

SPIN_SECONDS = 0.1  # threads that have nothing left to do turn in circles for less than this
PROGRAMS = {"gradtape": "gradtape_bench", "libtorch": "libtorch_bench", "by hand": "hand_written_bench"}


def environment(threads):
    """The same for every side, whatever it computes with."""
    count = str(threads)
    return os.environ | {"OPENBLAS_NUM_THREADS": count, "OMP_NUM_THREADS": count, "GRADTAPE_NUM_THREADS": count}


class Side:
    """One program, kept running, that times a workload when asked."""

    def __init__(self, program, seconds, threads=1):
        self.program, self.threads = program, threads
        names = subprocess.run([program, "--benchmark_list_tests"], check=True, capture_output=True, text=True)
        self.workloads = list(dict.fromkeys(line.split("/")[0] for line in names.stdout.splitlines()))
        self.process = subprocess.Popen(
            [program, f"--benchmark_min_time={seconds}", "--serve"], env=environment(threads),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def time(self, workload):
        """Microseconds, of the processor and real; of the fastest where the program knows several ways."""
        print("^" + re.sub(r"[^\w ]", ".", workload) + "/", file=self.process.stdin)
        times = [float(t) for t in self.process.stdout.readline().split()]
        if self.threads > 1:
            time.sleep(SPIN_SECONDS)
        if not times:
            sys.exit(f"{self.program} did not time '{workload}'")
        return min(zip(times[::2], times[1::2]))


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def measure(sides, workloads, rounds):
    """workload -> side -> (processor, real) of each round. Sides take turns, so that the drift of a shared machine
    cancels."""
    times = {w: {name: [] for name, side in sides.items() if w in side.workloads} for w in workloads}
    for round in range(rounds):
        for i, (workload, by_side) in enumerate(times.items()):
            progress(f"round {round + 1} of {rounds}, workload {i + 1} of {len(times)}")
            for name, samples in by_side.items():
                samples.append(sides[name].time(workload))
    progress("")
    return times

"""What a program pays around the work: to be compiled, to start, to be stored, in memory."""

import json
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import goals
from sides import PROGRAMS, environment


# A process counts the memory of whoever started it as its own, so a small Python starts it; its 8 MiB are the least
# that can be seen.
STARTER = """
import os, sys
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(command, **options):
    """Seconds of the processor and MiB at most of a process and those that it waited for."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", STARTER, *command], check=True, stdout=subprocess.PIPE,
                          text=True, env=environment(1) | {"CCACHE_DISABLE": "1"}, **options)
    return tuple(map(float, done.stdout.split()))


def compile_seconds(build, source):
    """As CMake compiles it, but at -O2."""
    commands = json.loads((build / "compile_commands.json").read_text())
    entry = next(c for c in commands if c["file"].endswith(source))
    with tempfile.TemporaryDirectory() as folder:
        command = shlex.split(entry["command"])
        command[command.index("-o") + 1] = f"{folder}/hello.o"
        return run([*command, "-O2"], cwd=entry["directory"])[0]


def compile_seconds_once(build, source, program):
    """The same, measured again only after the program was built again: libtorch takes its time."""
    kept = Path(f"{program}.compile_seconds")
    if not kept.exists() or kept.stat().st_mtime < program.stat().st_mtime:
        kept.write_text(str(compile_seconds(build, source)))
    return float(kept.read_text())


def loaded(program, name):
    """The path of the shared library that a program loads."""
    libraries = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.search(rf"{name}\.so\S* => (\S+)", libraries)[1]


def library_mb(library):
    """Of a shared library, stripped."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["strip", "-o", f"{folder}/library", library], check=True)
        return Path(folder, "library").stat().st_size / 1e6


def memory_mib(program):
    """By how much the workload's steps raise the peak of a process that does nothing else."""
    command = [program, "--memory", goals.MEMORY_WORKLOAD]
    return int(subprocess.run(command, check=True, env=environment(1), capture_output=True, text=True).stdout) / 1024


def row(name, gradtape, libtorch, below=None):
    """A cost, which is to be below a figure, or else at most libtorch's."""
    return {"cost": name, "gradtape": gradtape, "libtorch": libtorch, "goal": below or libtorch,
            "met": gradtape < below if below else gradtape <= libtorch}


def measure(programs, rounds):
    build = programs.parent
    hello = {side: programs / f"{side}_hello" for side in ("gradtape", "libtorch")}
    starts = {side: [] for side in hello}
    for _ in range(rounds):
        for side, program in hello.items():
            starts[side].append(run([program]))
    ms, mib = ([statistics.median(sample[i] for sample in starts[side]) for side in hello] for i in (0, 1))
    return [
        row("compile 3 lines at -O2, s", compile_seconds(build, "bench/hello.cpp"),
            compile_seconds_once(build, "bench/peers/hello.cpp", hello["libtorch"]), goals.COMPILE_SECONDS),
        row("start, 2-element backward, exit, ms", *(1000 * s for s in ms), goals.START_MS),
        row("the same, peak of memory, MiB", *mib, goals.START_MIB),
        row("shared library, MB", library_mb(programs / "libgradtape.so"),
            library_mb(loaded(hello["libtorch"], "libtorch_cpu")), goals.LIBRARY_MB),
        row(f"{goals.MEMORY_WORKLOAD}, MiB", *(memory_mib(programs / PROGRAMS[side]) for side in hello)),
    ]

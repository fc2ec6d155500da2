"""Run the tests on 1, 2 and 3 ranks, each under a time limit, and sum up what every rank saw.

usage: python tools/run_tests.py [--ranks P,P,...] [--timeout SECONDS] [PYTEST ARGUMENT ...]

The last line is ``N passed, N failed`` (``, N skipped`` may follow). A test counts once for each
number of ranks: failed if it failed on any rank, else skipped if any rank skipped it. The exit code
is 1 if any rank of any run failed, crashed, hung or ended early. With EPMPI_CI=1 a test skipped for
a reason that is not expected there counts as failed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import launching

IN_CI = os.environ.get("EPMPI_CI") == "1"
# What a machine may lack. Everything else that the tests need is installed with them.
EXPECTED_SKIPS = ("needs a GPU", "needs an h5py built for MPI", "needs the right to mount")
# Compiled against FFTW, or no Python: only the machine of the continuous integration must have it.
EXPECTED_SKIPS_AT_HOME = ("needs mpi4py-fft", "needs g++ and FFTW", "needs zsh", "needs fish")
NAMES_SHOWN = 20  # failures in the list at the end
FAILURES_SHOWN = 4  # ranks whose traceback of one test is shown: often all fail alike


@dataclass
class Test:
    """One test on one number of ranks."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    texts: list[tuple[int, str]] = field(default_factory=list)  # rank, traceback or reason
    finished: set[int] = field(default_factory=set)

    @property
    def verdict(self) -> str:
        """Return failed, skipped or passed."""
        return next((v for v in ("failed", "skipped") if self.outcomes[v]), "passed")


@dataclass
class Run:
    """Reports of the ranks of one run, and its end."""

    ranks: int
    seconds: float
    tests: dict[str, Test] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what is wrong beside failed tests
    log: str = ""

    def count(self) -> Counter[str]:
        """Return the number of tests by verdict; a run that broke without one is a failure."""
        verdicts = Counter(test.verdict for test in self.tests.values())
        if self.broken and not verdicts["failed"]:
            verdicts["failed"] = 1
        return verdicts


def main() -> int:
    """Run the tests and return the exit code."""
    parser = argparse.ArgumentParser(description="Run the tests on several numbers of ranks.")
    parser.add_argument("--ranks", default="1,2,3", help="numbers of ranks, with commas")
    parser.add_argument("--timeout", type=float, default=1500.0, help="seconds for each run")
    options, arguments = parser.parse_known_args()
    # A check that failed before the tests, so that the closing line tells of it.
    checks = os.environ.get("EPMPI_FAILED_CHECKS", "").split()
    with tempfile.TemporaryDirectory(prefix="epmpi-tests-") as directory:
        runs = []
        for ranks in map(int, options.ranks.split(",")):
            run = run_tests(ranks, arguments, Path(directory), options.timeout)
            show(run)
            runs.append(run)
    show_slowest(runs)
    show_failed(runs)
    total = sum((run.count() for run in runs), Counter[str](failed=len(checks)))
    if not any(run.tests for run in runs):
        print("error: no test ran")
        total["failed"] += 1
    for check in checks:
        print(f"failed before the tests: make {check}")
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}", flush=True)
    return 1 if total["failed"] else 0


def run_tests(ranks: int, arguments: list[str], directory: Path, timeout: float) -> Run:
    """Run pytest on so many ranks and collect the reports."""
    reports = directory / f"ranks-{ranks}"
    reports.mkdir()
    log = reports / "log"
    # One rank needs no launcher, and its tests may start MPI runs of their own.
    options = ["--quiet", "--no-summary", "-p", "no:cacheprovider"]
    if ranks == 1:
        # Most tests are here, and each keeps one core busy: a process a core, file by file.
        options += ["--numprocesses", str(len(os.sched_getaffinity(0))), "--dist", "loadfile"]
    command = launching.python(
        *("-m", "pytest", *options, "--continue-on-collection-errors", *arguments),
        ranks=ranks if ranks > 1 else None,
    )
    # The runs share one cache of compiled functions: an empty one, or the caller's. Numba writes
    # aside and renames, so ranks that compile the same function at once replace like by like.
    env = launching.environment(
        EPMPI_TEST_REPORTS=str(reports),
        NUMBA_CACHE_DIR=os.environ.get("NUMBA_CACHE_DIR") or str(directory / "numba"),
        **launching.PATIENT,
    )
    start = time.monotonic()
    broken = []
    code: int | None = None
    try:
        code = launching.run(command, timeout=timeout, env=env, log=log).returncode
    except subprocess.TimeoutExpired:
        broken.append(f"ended after {timeout:.0f} s")
    run = Run(ranks, time.monotonic() - start, broken=broken)
    run.log = log.read_text(encoding="utf-8", errors="replace")
    for rank in range(ranks):
        read_report(run, rank, reports / f"rank{rank}.jsonl")
    judge(run, code)
    return run


def read_report(run: Run, rank: int, path: Path) -> None:
    """Add what one rank saw to the run."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    ended = False
    collected = 0
    for line in lines:
        entry = json.loads(line)
        event = entry["event"]
        ended = ended or event == "end"
        if event == "collected":
            collected = entry["tests"]
        elif event == "aborted":
            run.broken.append(f"rank {rank}: {entry['text']}")
        elif event in ("start", "phase", "error"):
            add(run.tests.setdefault(entry["test"], Test()), rank, entry)
    if not ended:
        started = sum(json.loads(line)["event"] == "start" for line in lines)
        run.broken.append(f"rank {rank}: ended in test {started} of {collected}")


def add(test: Test, rank: int, entry: dict) -> None:
    """Add one line of one rank's report to a test."""
    if entry["event"] == "error":
        test.outcomes["failed"] += 1
        test.texts.append((rank, entry["text"]))
    elif entry["event"] == "phase":
        if entry["when"] == "teardown":
            test.finished.add(rank)
        test.seconds = max(test.seconds, entry["seconds"])
        test.outcomes[entry["outcome"]] += 1
        if entry["outcome"] != "passed":
            test.texts.append((rank, entry["text"]))


def judge(run: Run, code: int | None) -> None:
    """Find what no rank could report: a crash, an unexpected skip, an unexplained exit code."""
    for test in run.tests.values():
        # A test that did not finish on every rank did not pass: it crashed, hung or was aborted.
        if test.verdict != "failed" and run.broken and len(test.finished) < run.ranks:
            test.outcomes["failed"] += 1
            test.texts.append((-1, "did not finish on every rank"))
        if test.verdict == "skipped" and IN_CI and not all(map(expected, test.texts)):
            test.outcomes["failed"] += 1
    explained = (
        {0, 5} if run.count()["failed"] == 0 else {0, 1, 5}
    )  # 5: no test for this many ranks
    if code is not None and code not in explained:
        run.broken.append(f"exit code {code}")


def expected(text: tuple[int, str]) -> bool:
    """Return whether a test may be skipped for this reason."""
    reasons = EXPECTED_SKIPS if IN_CI else EXPECTED_SKIPS + EXPECTED_SKIPS_AT_HOME
    return any(reason in text[1] for reason in reasons)


def show(run: Run) -> None:
    """Print one line for a run, and everything about what failed or was skipped in it."""
    for name, test in run.tests.items():
        if test.verdict == "failed":
            for rank, text in test.texts[:FAILURES_SHOWN]:
                where = f"rank {rank} of {run.ranks}" if rank >= 0 else f"{run.ranks} ranks"
                print(f"\n=== FAILED on {where}: {name} ===\n{text}")
    reasons = Counter(test.texts[0][1] for test in run.tests.values() if test.verdict == "skipped")
    if run.broken:
        print(f"\n=== end of the output of the run on {run.ranks} ranks ===")
        print("\n".join(run.log.splitlines()[-60:]))
    for problem in run.broken:
        print(f"run on {run.ranks} ranks: {problem}")
    for reason, number in reasons.items():
        print(f"skipped {number} on {run.ranks} ranks: {reason}")
    verdicts = run.count()
    print(
        f"ranks {run.ranks}: {verdicts['passed']} ok, {verdicts['failed']} bad, "
        f"{verdicts['skipped']} left out, {run.seconds:.1f} s",
        flush=True,
    )


def show_failed(runs: list[Run]) -> None:
    """Print the names of what failed once more: the end of a long log may be all that is kept."""
    failed = [
        f"failed on {run.ranks} ranks: {name}"
        for run in runs
        for name, test in run.tests.items()
        if test.verdict == "failed"
    ]
    failed += [f"failed on {run.ranks} ranks: {text}" for run in runs for text in run.broken]
    print("".join(f"{line}\n" for line in failed[:NAMES_SHOWN]), end="")


def show_slowest(runs: list[Run], number: int = 5) -> None:
    """Print the slowest tests, so that a suite that grows slow is seen."""
    times = [(test.seconds, run.ranks, name) for run in runs for name, test in run.tests.items()]
    for seconds, ranks, name in sorted(times, reverse=True)[:number]:
        print(f"slowest: {seconds:6.1f} s on {ranks} ranks: {name}")


if __name__ == "__main__":
    sys.exit(main())

"""Pytest plugin: the ranks of an MPI run go through the tests in step, and none waits for ever.

pytest-mpi alone hangs when one rank fails before a collective call that the others enter. Here the
ranks compare their verdicts after the setup, the call and the teardown of every test. A rank that
failed waits for the others a few seconds: if they come, the run continues, otherwise it is aborted.
What each rank saw is written at once, line by line, so that an abort loses nothing.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

PATIENCE = 5.0  # seconds that a rank that failed waits for the others
VERDICTS = ("passed", "skipped", "failed")
REPORTS = "EPMPI_TEST_REPORTS"  # directory of the ranks' reports, set by tools/run_tests.py


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Follow this session, and let only the first rank of it speak."""
    world = MPI.COMM_WORLD
    # An own communicator: verdicts never mix with messages that a failed test left behind.
    # What the processes of pytest-xdist see, the one that started them hears and records.
    reports = None if hasattr(config, "workerinput") else os.environ.get(REPORTS)
    plugin = RanksInStep(world.Dup(), reports)
    config.pluginmanager.register(plugin, "ranks-in-step")
    if world.rank > 0:
        config.pluginmanager.unregister(name="terminalreporter")


class RanksInStep:
    """Select the tests for the number of ranks, compare verdicts, keep the record of one rank.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm
        Used by nobody else.
    reports : str or None
        Directory for the record, one JSON object a line in ``rank<r>.jsonl``; None writes none.
    """

    def __init__(self, communicator: MPI.Comm, reports: str | None) -> None:
        self.communicator = communicator
        self.record = None
        if reports is not None:
            path = Path(reports) / f"rank{communicator.rank}.jsonl"
            self.record = path.open("a", encoding="utf-8")

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the files without a test for several ranks: to import them all takes long."""
        if self.communicator.size == 1 or not collection_path.match("test_*.py"):
            return None
        return None if "mark.mpi" in collection_path.read_text(encoding="utf-8") else True

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the tests that run on this number of ranks; see `runs_on`."""
        ranks = self.communicator.size
        try:
            dropped = [item for item in items if not runs_on(item, ranks)]
        except pytest.UsageError as error:
            self._tell("collection", str(error))
            raise
        items[:] = [item for item in items if item not in dropped]
        config.hook.pytest_deselected(items=dropped)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Record how many tests are to come, and make sure that all ranks will run the same."""
        names = [item.nodeid for item in session.items]
        self._write(event="collected", tests=len(names))
        first = self.communicator.bcast(names)
        if names != first:
            others = sorted(set(names) ^ set(first))
            self._abort(f"this rank and rank 0 collected different tests: {others or 'the order'}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that cannot be collected."""
        if report.failed:
            self._tell(f"collection of {report.nodeid}", report.longreprtext)
            self._write(event="error", test=report.nodeid, text=report.longreprtext)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Record that a test starts: the last one started is the suspect after a crash."""
        self._write(event="start", test=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record one phase of one test, then compare the verdict with that of the other ranks."""
        text = describe(report)
        self._write(
            event="phase",
            test=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            seconds=report.duration,
            text=text,
        )
        if self.communicator.size == 1:
            return
        if report.failed:
            self._tell(f"{report.when} of {report.nodeid}", text)
        lowest, highest = self._compare(report)
        if report.when == "setup" and lowest != highest:
            # Some ranks now run the test and others do not: no later verdict would match.
            self._abort(f"{report.nodeid} is set up on some ranks and fails or skips on others")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Record the end; a rank that stopped early takes the others with it."""
        if exitstatus in (
            pytest.ExitCode.INTERRUPTED,
            pytest.ExitCode.INTERNAL_ERROR,
            pytest.ExitCode.USAGE_ERROR,
        ):
            self._abort(f"pytest ended early with exit status {int(exitstatus)}")
        self._write(event="end")

    def _compare(self, report: pytest.TestReport) -> tuple[int, int]:
        """Return the lowest and the highest verdict of all ranks, or abort. Collective."""
        verdict = VERDICTS.index(report.outcome)
        mine = np.array([-verdict, verdict])
        extremes = np.empty_like(mine)
        request = self.communicator.Iallreduce(mine, extremes, MPI.MAX)
        start = time.monotonic()
        # A rank that did not fail waits as long as the others need; pytest's own limit ends a test
        # that never does.
        while not request.Test():
            if report.failed and time.monotonic() > start + PATIENCE:
                self._abort(f"{report.nodeid} failed and other ranks are still in it: run aborted")
            time.sleep(0.001)
        return -int(extremes[0]), int(extremes[1])

    def _write(self, **entry: Any) -> None:
        if self.record is not None:
            self.record.write(json.dumps(entry) + "\n")
            self.record.flush()

    def _tell(self, what: str, text: str) -> None:
        """Print on standard error, in one write, so that ranks do not mix within a traceback."""
        who = f"rank {self.communicator.rank} of {self.communicator.size}"
        if self.communicator.size > 1:
            sys.stderr.write(f"\n=== {who}: {what} ===\n{text}\n")
            sys.stderr.flush()

    def _abort(self, reason: str) -> None:
        self._write(event="aborted", text=reason)
        if self.communicator.size > 1:
            self._tell("run aborted", reason)
            time.sleep(1.0)  # the launcher passes this on before it ends the ranks
            MPI.COMM_WORLD.Abort(1)


def runs_on(item: pytest.Item, ranks: int) -> bool:
    """Return whether a test runs on this number of ranks.

    A test without the mark ``mpi`` is serial and runs on one rank only; one with it runs on every
    number of ranks, from ``min_size`` on if that is given.

    Raises
    ------
    pytest.UsageError
        For a property test marked mpi: hypothesis repeats a failing example on one rank alone.
    """
    mark = item.get_closest_marker("mpi")
    if mark is None:
        return ranks == 1
    if hasattr(getattr(item, "obj", None), "hypothesis"):
        raise pytest.UsageError(f"{item.nodeid}: marked mpi, so parametrize it instead of @given")
    return ranks >= mark.kwargs.get("min_size", 1)


def describe(report: pytest.TestReport) -> str:
    """Return the traceback with what was printed, the reason of a skip, or nothing."""
    if report.skipped:
        if hasattr(report, "wasxfail"):
            return "xfail: " + report.wasxfail
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        return reason.removeprefix("Skipped: ")
    if report.failed:
        printed = [f"--- {title} ---\n{content}" for title, content in report.sections]
        return "\n".join([report.longreprtext, *printed])
    return ""

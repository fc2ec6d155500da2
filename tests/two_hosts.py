"""Two hosts on one machine: each with its network, its name, its processes and its /dev/shm.

They are namespaces of Linux, joined by a bridge; MPICH's mpiexec starts ranks there as it does by
ssh on other machines, and its messages go by TCP: they share no memory, that of System V included.
Needs root, iproute2 and util-linux.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from launching import PATIENT, mpiexec

NUMBERS = 1, 2
ENTER = """#!/bin/sh
# Stands for ssh: HOST COMMAND...
while [ "${{1#-}}" != "$1" ]; do shift; done
number=${{1##*.}}; shift
exec ip netns exec {name}$number \\
    unshare --uts --ipc --mount --pid --fork --kill-child --mount-proc \\
    sh -c "hostname host$number; mount -t tmpfs -o size=1g tmpfs /dev/shm; $*"
"""


def lacking() -> str:
    """Return why there can be no such hosts here; nothing if there can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    if missing := [name for name in ("ip", "unshare") if shutil.which(name) is None]:
        return f"needs {', '.join(missing)}"
    version = subprocess.run([*mpiexec()[:1], "--version"], capture_output=True, text=True).stdout
    if "HYDRA" not in version:
        return "needs MPICH's mpiexec"
    try:
        with two_hosts(Path("/tmp")):
            return ""
    except subprocess.CalledProcessError as error:
        return f"makes no network namespaces: {error.stderr.strip()}"


class TwoHosts:
    """The hosts while they are there; made by `two_hosts`.

    Parameters
    ----------
    name : str
        Their names begin with it.
    network : str
        First three numbers of their addresses.
    folder : Path
        For the command that enters a host.
    """

    def __init__(self, name: str, network: str, folder: Path) -> None:
        self.name, self.network = name, network
        self._enter = folder / f"{name}-enter"
        self._enter.write_text(ENTER.format(name=name))
        self._enter.chmod(0o755)

    def up(self) -> None:
        """Make the hosts and what joins them."""
        ip("link", "add", f"{self.name}b", "type", "bridge")
        ip("addr", "add", f"{self.network}.254/24", "dev", f"{self.name}b")
        ip("link", "set", f"{self.name}b", "up")
        for number in NUMBERS:
            host = f"{self.name}{number}"
            ip("netns", "add", host)
            ip("link", "add", self._cable(number), "type", "veth",
               "peer", "name", "eth0", "netns", host)  # fmt: skip
            ip("link", "set", self._cable(number), "master", f"{self.name}b", "up")
            ip("-n", host, "addr", "add", f"{self.network}.{number}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                ip("-n", host, "link", "set", device, "up")

    def down(self) -> None:
        """End all that runs there, and take the hosts away."""
        for number in NUMBERS:
            with suppress(subprocess.CalledProcessError):
                self.kill(number)
            for words in (("netns", "del", f"{self.name}{number}"),
                          ("link", "del", self._cable(number))):  # fmt: skip
                with suppress(subprocess.CalledProcessError):
                    ip(*words)
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", f"{self.name}b")
        self._enter.unlink()

    def start(
        self, ranks: int, *arguments: object, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start ``python ARGUMENTS`` with so many ranks on each host."""
        places = ",".join(f"{self.network}.{number}:{ranks}" for number in NUMBERS)
        command = [
            mpiexec()[0], "-launcher", "ssh", "-launcher-exec", str(self._enter),
            "-iface", f"{self.name}b", "-hosts", places, "-n", str(2 * ranks),
            sys.executable, *map(str, arguments),
        ]  # fmt: skip
        wires = {"FI_PROVIDER": "tcp", "FI_TCP_IFACE": "eth0", "UCX_NET_DEVICES": "eth0"}
        wires |= PATIENT
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **wires, **(env or {})}
        )

    def run(self, ranks: int, *arguments: object, timeout: float) -> subprocess.CompletedProcess:
        """Run ``python ARGUMENTS`` with so many ranks on each host, to its end."""
        started = self.start(ranks, *arguments)
        try:
            out, err = started.communicate(timeout=timeout)
        finally:
            started.kill()
        return subprocess.CompletedProcess(arguments, started.returncode, out, err)

    def cut(self, number: int) -> None:
        """Pull the cable of a host."""
        ip("link", "set", self._cable(number), "down")

    def mend(self, number: int) -> None:
        """Put it back."""
        ip("link", "set", self._cable(number), "up")

    def sent(self, number: int) -> int:
        """Return the bytes that a host has sent through its cable."""
        counter = Path("/sys/class/net") / self._cable(number) / "statistics" / "rx_bytes"
        return int(counter.read_text())

    def kill(self, number: int) -> None:
        """End all processes of a host at once."""
        for line in ip("netns", "pids", f"{self.name}{number}").split():
            with suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)

    def _cable(self, number: int) -> str:
        return f"{self.name}v{number}"


def ip(*words: str) -> str:
    """Run the command ip; return what it prints."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


@contextmanager
def two_hosts(folder: Path) -> Iterator[TwoHosts]:
    """Give two hosts for a while."""
    number = os.getpid() % 10000
    hosts = TwoHosts(f"ep{number}h", f"10.{64 + number % 64}.{number // 64}", folder)
    try:
        hosts.up()
        yield hosts
    finally:
        hosts.down()

"""Damaged and foreign files: refused in one line, or harmless; never a traceback or a wrong run."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from fault_runs import Place, Trial
from same_runs import GROUPS, contents, differences

from epmpi.config import ConfigError
from epmpi.output import OutputError
from epmpi.run.simulation import Simulation

Damage = Callable[[bytearray, random.Random], bytearray]


def used(data: bytearray, chance: random.Random) -> int:
    """Return the place of a byte that is not zero: most of a small file is room for more frames."""
    places = np.flatnonzero(np.frombuffer(data, np.uint8))
    return int(places[chance.randrange(len(places))])


def truncate(data: bytearray, chance: random.Random) -> bytearray:
    """Cut a file somewhere."""
    return data[: chance.randrange(len(data))]


def flip_bit(data: bytearray, chance: random.Random) -> bytearray:
    """Flip one bit where there is something."""
    data[used(data, chance)] ^= 1 << chance.randrange(8)
    return data


def blank(data: bytearray, chance: random.Random) -> bytearray:
    """Lose a block of 512 bytes, as a disk may."""
    at = used(data, chance)
    data[at : at + 512] = bytes(len(data[at : at + 512]))
    return data


DAMAGES: dict[str, Damage] = {
    "truncated": truncate,
    "bit flipped": flip_bit,
    "block of zeros": blank,
}


def damage(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of damaging checkpoint.h5 and run.h5 `number` times in each way."""
    chance = random.Random(seed)
    whole = place.reference()
    good = Simulation.resume(whole)
    state = {name: rows.copy() for name, rows in good.model.state().fields.items()}
    if good._course.checkpoint is not None:
        good._course.checkpoint.release()
    for name in ("checkpoint.h5", "run.h5"):
        data = (whole / name).read_bytes()
        for kind, spoil in DAMAGES.items():
            for _ in range(number):
                broken = place.directory / "broken"
                shutil.rmtree(broken, ignore_errors=True)
                shutil.copytree(whole, broken)
                (broken / name).write_bytes(spoil(bytearray(data), chance))
                lost = believed(whole, broken) if name == "run.h5" else ""
                yield Trial(f"{name} {kind}", lost or verdict(name, broken, whole, state))


def believed(whole: Path, broken: Path) -> str:
    """Return what a damaged run.h5 gives to a reader that is not what was written."""
    try:
        found = contents(broken / "run.h5", GROUPS)
    except Exception:  # HDF5's checksums stop a plain h5py
        return ""
    expected = contents(whole / "run.h5", GROUPS)
    wrong = [name for name in found if found[name] != expected.get(name)]
    return f"wrong numbers were read from {wrong[:3]}" if wrong else ""


def verdict(name: str, broken: Path, whole: Path, state: dict[str, np.ndarray]) -> str:
    """Resume a run whose file `name` is damaged; return what is wrong with how it went."""
    try:
        simulation = Simulation.resume(broken)
        if any(
            not np.array_equal(rows, state[name])
            for name, rows in simulation.model.state().fields.items()
        ):
            return "resumed from a wrong state"
        simulation.run(progress=False)
        return ""
    except (ConfigError, OutputError) as error:
        message = str(error)
    except Exception as error:  # what this fault is about
        return f"{type(error).__name__}: {error}"
    if len(message.splitlines()) != 1:
        return f"more than one line: {message}"
    return from_previous(broken, whole, message) if name == "checkpoint.h5" else ""


def from_previous(broken: Path, whole: Path, message: str) -> str:
    """Resume from the checkpoint before the damaged one, which must have been offered."""
    if "--previous" not in message:
        return f"the previous checkpoint was not offered: {message}"
    Simulation.resume(broken, previous=True).run(progress=False)
    return f"differs in {wrong[:3]}" if (wrong := differences(whole, broken)) else ""


def foreign(place: Place, number: int, seed: int) -> Iterator[Trial]:
    """Yield what came of files of others in the place of the checkpoint and of run.h5."""
    whole = place.reference()
    makers = (nothing_in_it, lying_about_size, virtual_elsewhere, linked_elsewhere, of_another_run)
    for make in makers:
        broken = place.directory / "broken"
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(whole, broken)
        make(broken)
        try:
            simulation = Simulation.resume(broken)
            simulation.run(progress=False)
            lost = "was accepted"
        except ConfigError as error:
            lost = "" if len(str(error).splitlines()) == 1 else f"more than one line: {error}"
        except Exception as error:  # what this fault is about
            lost = f"{type(error).__name__}: {error}"
        yield Trial(f"foreign: {make.__name__.replace('_', ' ')}", lost)


def nothing_in_it(run: Path) -> None:
    """Put an empty HDF5 file in the place of the checkpoint."""
    h5py.File(run / "checkpoint.h5", "w").close()


def lying_about_size(run: Path) -> None:
    """Let the stress claim a size that no memory holds."""
    with h5py.File(run / "checkpoint.h5", "r+") as file:
        del file["fields/stress"]
        file.create_dataset("fields/stress", (2**20, 2**20), np.float64)


def virtual_elsewhere(run: Path) -> None:
    """Let run.h5 refer to a file outside."""
    with h5py.File(run / "run.h5", "r+") as file:
        del file["fields/stress/value"]
        layout = h5py.VirtualLayout((11, 21, 16), np.float64)
        layout[:] = h5py.VirtualSource("/etc/passwd", "/value", shape=(11, 21, 16))
        file["fields/stress"].create_virtual_dataset("value", layout)


def linked_elsewhere(run: Path) -> None:
    """Let the checkpoint link to another file."""
    (run / "checkpoint.h5").rename(run / "other.h5")
    with h5py.File(run / "checkpoint.h5", "w") as file:
        for name in ("header", "fields", "counts", "tracers", "checksums"):
            file[name] = h5py.ExternalLink("other.h5", f"/{name}")


def of_another_run(run: Path) -> None:
    """Take the checkpoint of another run."""
    with h5py.File(run / "run.h5", "r+") as file:
        file["parameters"].attrs["run"] = "0" * 32

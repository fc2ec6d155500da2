"""Find the frames of run.h5 that belong to a checkpoint.

Frames published after the checkpoint are cut off, because the restart computes them again; missing
earlier frames are an error.  No file is changed here: the first publication of the restart leaves
out the frames that were cut, and then files are removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from epmpi.config import ConfigError
from epmpi.output import h5md
from epmpi.output.element import EventLog
from epmpi.output.segments import Segment
from epmpi.trust import HeldError, IncompleteError, check_file, one_line, open_file


def find_frames(directory: Path, run: str, frames: Mapping[str, int]) -> list[Segment]:
    """Return the files of a run with the frames of each that belong to a checkpoint.

    Parameters
    ----------
    directory : Path
        RUN.
    run : str
        Identity of the run, from the checkpoint.
    frames : mapping
        Number of frames of each element, by path.

    Raises
    ------
    ConfigError
        If run.h5 is missing, damaged, of another run, or lacks some of these frames.
    """
    path = directory / "run.h5"
    try:
        with open_file(path) as file:
            check_file(file)
            found = file["parameters"].attrs.get("run") if "parameters" in file else None
            if found not in (run, run.encode()):
                raise ConfigError(f"{path} and the checkpoint are of different runs")
            segments = read_segments(file, path)
        for segment in segments:
            check_segment(segment)
    except ConfigError:
        raise
    except (IncompleteError, HeldError) as error:
        raise ConfigError(f"{path} cannot be continued: {error}") from error
    except Exception as error:  # a library that reads damaged bytes may raise anything
        why = one_line(error)
        raise ConfigError(f"{path} cannot be continued: {why}; {remedy(directory)}") from error
    kept, missing = cut_to(segments, frames)
    if missing:
        raise ConfigError(
            f"{path} lacks frames of {', '.join(missing)} that the checkpoint counts on; "
            f"{remedy(directory)}"
        )
    return kept


def remedy(directory: Path) -> str:
    """Return the remedy for a run.h5 that lacks frames: the checkpoint has the state."""
    return (
        "restore it from a copy, or begin another run from the state in its checkpoint "
        f"(initial.state = '{directory}')"
    )


def read_segments(file: h5py.File, path: Path) -> list[Segment]:
    """Return the files of a run in order: run.h5 itself, or the segments that it refers to."""
    segments: dict[Path, Segment] = {}
    for element, count in h5md.elements(file).items():
        value = file[element.path][element.scale]
        if not value.is_virtual:
            segments.setdefault(path, Segment(path)).frames[element] = count
            continue
        for source in value.virtual_sources():
            segment_path = path.parent / source.file_name
            first, last = source.vspace.get_select_bounds()
            segment = segments.setdefault(segment_path, Segment(segment_path))
            segment.frames[element] = last[0] - first[0] + 1
    return sorted(segments.values(), key=lambda segment: segment.path.name)


def check_segment(segment: Segment) -> None:
    """Check that a file has the frames of its segment, and that its numbers are intact.

    Steps, times and series are read, which checks their checksums; arrays and the log of events,
    which may be large, are not.
    """
    with open_file(segment.path) as file:
        present = h5md.elements(file)
        for element, count in segment.frames.items():
            if present.get(element, 0) < count:
                raise ValueError(f"{segment.path} lacks frames of {element.path}")
            for name, (shape, _) in element.datasets.items():
                if shape or isinstance(element, EventLog):
                    continue
                numbers = file[element.path][name][:count]
                if name in element.increasing and np.any(np.diff(numbers) <= 0):
                    raise ValueError(f"the {name}s of {element.path} do not increase")


def cut_to(segments: list[Segment], frames: Mapping[str, int]) -> tuple[list[Segment], list[str]]:
    """Return the segments with the first `frames` of each element, and the elements they lack."""
    left = dict(frames)
    kept = []
    for segment in segments:
        taken = {}
        for element, count in segment.frames.items():
            if take := min(count, left.get(element.path, 0)):
                taken[element] = take
                left[element.path] -= take
        if taken:
            kept.append(Segment(segment.path, taken))
    return kept, [path for path, count in left.items() if count]

"""The files behind run.h5, readable whenever a process is killed.

An HDF5 file that was open for writing when its process died may never open again.  So no file that
a reader may see is ever written to:

- Frames are appended to ``run.h5.partial``, which no reader should open.
- To *publish* is to close it, flush it to the disk and rename it; a rename is atomic.
- The first published file is ``run.h5`` itself.  While it is small, frames are appended to a copy,
  and the next publication renames the copy over it.  So the run.h5 of a short run, or of one that
  was published once, is a plain file with everything in it.
- When the last published file has grown past `COPIED`, a new one is begun.  Published files are
  then ``segments/000000.h5``, ``segments/000001.h5``, ..., complete HDF5 files that can be read on
  their own, and run.h5 is a small file in which each dataset is a *virtual dataset*: HDF5 reads the
  frames from the segments as if they were one.  It, too, is written to a partial file and renamed.

A copy that continues a segment takes its name, because it begins with all its frames.  So a reader
that has run.h5 open may take its time: the frames that it refers to neither move nor change.  Only
a resumed run removes segments, those newer than its checkpoint, after it has published its run.h5.

A process that dies at any instant leaves the run.h5 of the last publication and, perhaps, files
that it does not refer to.

To read a dataset HDF5 opens all its segments, and a system may allow 1024 open files.  So the
segments that are copied grow with the run, up to one part in `PARTS` of it: n bytes are in fewer
than PARTS (1 + ln(n / (PARTS COPIED))) segments, 150 for 80 GiB and 230 for 1 TiB.  Large copies
take time; a run then publishes less often (`epmpi.run.stopping.Pace`).

The segments are found relative to run.h5: the directory of a run can be moved as a whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py

from epmpi.output import chunks, h5md
from epmpi.output.failures import output_errors, writing
from epmpi.output.flushing import flush_to_disk
from epmpi.output.lock import RunLock
from epmpi.trust import FOLDER, SEGMENT

COPIED = 64 * chunks.MEBIBYTE  # copied in some 50 ms, much less than the time between publications
LEFT_BEHIND = ("run.h5.partial", "run.h5.index", "checkpoint.h5.partial")
PARTS = 32  # the largest copy is COPIED, or this part of the whole run if that is more
Describe = Callable[[h5py.File], list[h5py.Dataset]]  # returns the datasets that it has made


@dataclass
class Segment:
    """A published file."""

    path: Path
    frames: dict[h5md.Element, int] = field(default_factory=dict)  # those that belong to the run


class SegmentedFile:
    """The files of one run directory, and their publication.  Used by the root alone.

    Methods that change files raise OutputError where they cannot; run.h5 is then as it was.

    Parameters
    ----------
    directory : Path
        Exists and holds no run.
    describe : callable
        Writes header and parameters into an open file; called for every file that is published.
    lock : RunLock or None
        Of the directory; checked before any change.
    """

    def __init__(self, directory: Path, describe: Describe, lock: RunLock | None = None) -> None:
        self.directory = directory
        self._lock = lock
        self.path = directory / "run.h5"
        self.partial = directory / "run.h5.partial"
        self.describe = describe
        self.published: list[Segment] = []
        self._number = 0  # of the next segment: a name is never used twice
        self._replaced: Segment | None = None  # the segment that the partial file continues
        self._cut = False  # run.h5 may refer to frames that are no longer among those published

    def frames(self) -> dict[str, int]:
        """Return the number of frames of each element in run.h5, by path."""
        total: dict[str, int] = {}
        for segment in self.published:
            for element, count in segment.frames.items():
                total[element.path] = total.get(element.path, 0) + count
        return total

    def resume(self, published: list[Segment]) -> None:
        """Continue after these segments, which hold the frames to keep."""
        self.published = published
        self._cut = True
        used = [int(path.stem) for path in self._numbered()]
        self._number = max(used, default=-1) + 1

    def sweep(self) -> None:
        """Remove files that run.h5 does not refer to: left by a kill, or cut off by a restart."""
        kept = {segment.path for segment in self.published}
        self._check()
        with output_errors(self.directory):
            for path in self._numbered():
                if path not in kept:
                    path.unlink()
            for name in LEFT_BEHIND:
                (self.directory / name).unlink(missing_ok=True)

    def _check(self) -> None:
        """Raise OutputError if the directory no longer belongs to this run."""
        if self._lock is not None:
            self._lock.check()

    def _copied(self) -> int:
        """Return the size in bytes of the largest segment that is copied and continued."""
        total = sum(segment.path.stat().st_size for segment in self.published)
        return max(COPIED, total // PARTS)

    def _numbered(self) -> list[Path]:
        """Return the files that have the name of a segment."""
        folder = self.directory / FOLDER
        return sorted(path for path in folder.glob("*.h5") if SEGMENT.fullmatch(path.name))

    def begin(self) -> dict[h5md.Element, int]:
        """Make the partial file and return the frames that it already holds."""
        last = self.published[-1] if self.published else None
        self._check()
        with output_errors(self.partial):
            if last is not None and last.path.stat().st_size <= self._copied():
                shutil.copyfile(last.path, self.partial)
                with writing(self.partial, "r+", libver=h5md.FORMAT) as file:
                    cut(file, last.frames)
                self._replaced = last
                return dict(last.frames)
            with writing(self.partial, "w", libver=h5md.FORMAT):
                self._replaced = None
            return {}

    def publish(self, frames: dict[h5md.Element, int]) -> None:
        """Turn the closed partial file, which holds `frames`, into a part of run.h5."""
        self._check()
        kept = [segment for segment in self.published if segment is not self._replaced]
        with output_errors(self.path):
            with writing(self.partial, "r+", libver=h5md.FORMAT) as file:
                held = self.describe(file)
            del held  # only now: see `failures.datasets`
            flush_to_disk(self.partial)
            self._check()  # again, because all this has taken time
            if kept:
                self._publish_segment(kept, frames)
            else:
                os.replace(self.partial, self.path)
                self.published = [Segment(self.path, frames)]
            flush_to_disk(self.directory)
        self._replaced, self._cut = None, False

    def discard(self) -> None:
        """Remove the partial file, if there is one."""
        if self._lock is None or self._lock.is_ours:
            self.partial.unlink(missing_ok=True)

    def _publish_segment(self, kept: list[Segment], frames: dict[h5md.Element, int]) -> None:
        """Publish a segment, and the run.h5 that refers to all segments."""
        if kept[0].path == self.path:
            kept[0] = Segment(self._link(self.path), kept[0].frames)
        continued = None if self._cut or self._replaced is None else self._replaced.path
        new = Segment(continued or self._next_path(), frames)
        os.replace(self.partial, new.path)
        flush_to_disk(new.path.parent)
        segments = [*kept, new]
        index = self.directory / "run.h5.index"
        with writing(index, "w", libver=h5md.FORMAT) as file:
            write_index(file, segments, self.directory)
            held = self.describe(file)
        del held
        flush_to_disk(index)
        self._check()
        os.replace(index, self.path)
        self.published = segments
        if self._replaced is not None and self._replaced.path != new.path:
            self._replaced.path.unlink()

    def _next_path(self) -> Path:
        folder = self.directory / FOLDER
        folder.mkdir(exist_ok=True)
        path = folder / f"{self._number:06d}.h5"
        self._number += 1
        return path

    def _link(self, path: Path) -> Path:
        """Give the file a second name, so that run.h5 exists at every instant."""
        target = self._next_path()
        try:
            os.link(path, target)
        except OSError:  # a file system without links: this happens once a run
            shutil.copyfile(path, target)
            flush_to_disk(target)
        return target


def cut(file: h5py.File, frames: dict[h5md.Element, int]) -> None:
    """Cut a file to the given number of frames of each element, and none of the others."""
    wanted = {element.path: count for element, count in frames.items()}
    for element, present in h5md.elements(file).items():
        count = wanted.get(element.path, 0)
        if count == 0:
            del file[element.path]
        elif count < present:
            for name in element.datasets:
                file[element.path][name].resize(count, axis=0)


def write_index(file: h5py.File, segments: list[Segment], directory: Path) -> None:
    """Write each element of the segments as virtual datasets over all of them."""
    elements = dict.fromkeys(element for segment in segments for element in segment.frames)
    for element in elements:
        group = file.create_group(element.path)
        parts = [segment for segment in segments if segment.frames.get(element)]
        total = sum(segment.frames[element] for segment in parts)
        for name, (shape, dtype) in element.datasets.items():
            layout = h5py.VirtualLayout((total, *shape), dtype)
            start = 0
            for segment in parts:
                frames = segment.frames[element]
                source = h5py.VirtualSource(
                    segment.path.relative_to(directory).as_posix(),
                    f"/{element.path}/{name}",
                    shape=(frames, *shape),
                )
                # A selection, not all: the segment may have more, which a restart has cut off.
                layout[start : start + frames] = source[:frames]
                start += frames
            group.create_virtual_dataset(name, layout)
        h5md.annotate(file, element)

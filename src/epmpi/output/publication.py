"""Publication of the data written so far: all ranks begin, fail or continue together.

The root has the files (`SegmentedFile`), each rank its part of the writer.  A failure on the root
is raised on all ranks, as an OutputError of one line; the partial file is then discarded, and
run.h5 stays as it was.
"""

from __future__ import annotations

import time
from contextlib import suppress

from epmpi.output.failures import OutputError
from epmpi.output.segments import SegmentedFile
from epmpi.output.series import PendingNumbers
from epmpi.output.streaming import StreamingWriter


class Publication:
    """The partial file of a run, from its beginning to its publication.

    Its collective methods raise OutputError on all ranks where something cannot be written.

    Parameters
    ----------
    files : SegmentedFile
        Used on the root.
    writer : StreamingWriter
        Of this rank.
    numbers : PendingNumbers
        Written before the file is closed.

    Attributes
    ----------
    pending : bool
        Whether there is something to publish, perhaps only parameters.
    seconds : float
        Duration of the last publication on the root, with its initial copy.
    """

    def __init__(
        self, files: SegmentedFile, writer: StreamingWriter, numbers: PendingNumbers
    ) -> None:
        self.pending = True
        self.seconds = self._copying = 0.0
        self._files = files
        self._writer = writer
        self._communicator = writer.communicator
        self._numbers = numbers
        self._appending = False  # a partial file is open

    def begin(self) -> None:
        """Open a partial file, if none is open.  `commit` raises failures of the root."""
        self.pending = True
        if self._appending:
            return
        frames = None
        if self._communicator.is_root:
            began = time.monotonic()
            try:
                frames = self._files.begin()
            except OutputError as error:
                self._writer.failure = error
            self._copying = time.monotonic() - began
        self._writer.open(self._files.partial, frames)
        self._appending = True

    def commit(self) -> None:
        """Declare the appended frames complete.  Collective."""
        self._writer.commit()
        self._raise_alike(self._writer.failure)

    def publish(self) -> None:
        """Make everything written so far visible in run.h5, and safe.  Collective."""
        error: OutputError | None = None
        try:
            self._publish()
        except OutputError as failed:
            error = failed
        self._raise_alike(error)
        self.pending = False  # on all ranks or on none: beginning a file may be collective

    def save_alone(self) -> None:
        """Publish on the root alone, when other ranks may be out of step; failures are ignored.

        With the parallel writer this is impossible: run.h5 stays as last published.
        """
        if self._communicator.is_root and not self._writer.collective:
            with suppress(OutputError):
                self._publish()
            self._writer.abandon()
            self._files.discard()

    def _publish(self) -> None:
        """Write the numbers, close the partial file and make it a part of run.h5.

        With the parallel writer this is collective; else the root may do it alone.
        """
        if not self.pending:
            return
        self.begin()
        self._numbers.write()
        if self._writer.collective:  # all ranks must close the file, or none
            self._communicator.raise_alike(self._writer.failure)
        elif self._writer.failure is not None:
            raise self._writer.failure
        self._writer.close()
        self._appending = False
        if self._communicator.is_root:
            began = time.monotonic()
            self._files.publish(self._writer.frames)
            self.seconds = self._copying + time.monotonic() - began

    def _raise_alike(self, error: OutputError | None) -> None:
        """Raise a failure of the root on all ranks, and discard the partial file."""
        try:
            self._communicator.raise_alike(error)
        except OutputError:
            self._writer.abandon()
            self._appending = False
            if self._communicator.is_root:
                self._files.discard()
            raise

"""A sparse source sent as its sites, index and value, instead of as the spectra of its rows.

Each rank then transforms all rows that have a site itself, by the same operations as their owner
would: nothing changes in any bit, whichever way the source travels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epmpi.spectral.between_hosts import BetweenHosts
from epmpi.spectral.exchange import ToColumns
from epmpi.spectral.messages import ByMessages
from epmpi.spectral.transform import Transform

REVIEWED_EVERY = 16  # exchanges: the source changes slowly
# What a network of 1 GB/s a rank moves in the 2 ns in which a site of a row is transformed.
BYTES_PER_SITE = 2.0


def cheaper_as_sites(
    shape: tuple[int, int], ranks: int, sites: int, rows: int, site_bytes: int, mode_bytes: int
) -> bool:
    """Tell whether a source should travel as its sites.

    As sites, ``(1 - 1/P) sites site_bytes`` bytes arrive at a rank, which transforms
    ``rows - Lx / P`` rows more; as spectra ``(1 - 1/P) (Lx / P) (Ly / 2 + 1) mode_bytes`` leave it.

    Parameters
    ----------
    shape : (Lx, Ly)
    ranks : int
        P.
    sites, rows : int
        Sites of the whole lattice where the source is not zero, and rows that have one.
    site_bytes, mode_bytes : int
        Of a site and of a mode that travel.
    """
    length, width = shape
    others = 1.0 - 1.0 / ranks
    more_rows = max(0.0, rows - length / ranks)
    as_sites = others * sites * site_bytes + BYTES_PER_SITE * width * more_rows
    return as_sites < others * length / ranks * (width // 2 + 1) * mode_bytes


class SourceMessages(ToColumns):
    """The transpose of one field that may be sparse, from rows to columns.

    Whether it travels as sites or as spectra is decided by all ranks alike, from the numbers of
    sites and rows of an earlier source.

    Parameters
    ----------
    spectra : ByMessages or BetweenHosts
        The exchange of its spectra, of one field without halo.

    Attributes
    ----------
    as_sites : bool
        How the next source travels.
    """

    def __init__(self, fft: Transform, spectra: ByMessages | BetweenHosts) -> None:
        self._fft = fft
        self._spectra = spectra
        self.as_sites = False
        self._exchanges = 0
        self._record = np.dtype([("row", np.int32), ("y", np.int32), ("value", fft.dtype)])
        self._found: list[NDArray] = []

    def send_rows(self, rows: NDArray, first: int = 0) -> None:
        """Take the sites of rows, or transform and send them."""
        if self.as_sites or self._exchanges % REVIEWED_EVERY == 0:
            self._found.append(self._sites(rows, first))
        if not self.as_sites:
            self._spectra.send_rows(rows, first)

    def to_columns(self, strip: int = 0) -> NDArray:
        """Return the array (Lx, 1, ky).  Collective."""
        found = np.concatenate([np.empty(0, self._record), *self._found])
        self._found.clear()
        if self.as_sites:
            found = self._fft.communicator.gather_everywhere(found)
            columns = self._transform(found)
        else:
            columns = self._spectra.to_columns()
        if self._exchanges % REVIEWED_EVERY == 0:
            self._review(found)
        self._exchanges += 1
        return columns

    def _sites(self, rows: NDArray, first: int) -> NDArray:
        """Return the records of the sites of rows (n, 1, Ly) that are not zero, by any bit."""
        bits = rows.reshape(-1).view(f"i{rows.itemsize}")
        flat = np.flatnonzero(bits != 0)
        found = np.empty(len(flat), self._record)
        found["row"], found["y"] = np.divmod(flat, rows.shape[-1])
        found["row"] += self._fft.slab.start + first
        found["value"] = rows.reshape(-1)[flat]
        return found

    def _review(self, found: NDArray) -> None:
        """Decide how the next sources travel, from the sites of all ranks, or of each."""
        fft = self._fft
        counts = np.array([len(found), len(np.unique(found["row"]))])
        sites, rows = counts if self.as_sites else fft.communicator.sum(counts)
        self.as_sites = cheaper_as_sites(
            fft.lattice.shape, fft.communicator.size, int(sites), int(rows),
            self._record.itemsize, self._spectra.wire.itemsize,
        )  # fmt: skip

    def _transform(self, found: NDArray) -> NDArray:
        """Transform the rows of all sites, and keep the modes of this rank."""
        fft, wire, block = self._fft, self._spectra.wire, self._spectra.block
        length, width = fft.lattice.shape
        mine = slice(*fft.mode_blocks[fft.communicator.rank])
        found = found[np.argsort(found["row"], kind="stable")]
        rows, place = np.unique(found["row"], return_inverse=True)
        height = len(block)
        source = np.zeros((height, 1, width), fft.dtype)
        columns = self._spectra.columns()
        if len(rows) < length:
            self._fft.lines.transform_rows(source[:1], block[:1])
            columns[:] = block[:1, :, mine].astype(wire)
        for begin in range(0, len(rows), height):
            some = rows[begin : begin + height]
            here = slice(*np.searchsorted(place, [begin, begin + height]))
            at = place[here] - begin, 0, found["y"][here]
            source[at] = found["value"][here]
            spectra = block[: len(some)]
            self._fft.lines.transform_rows(source[: len(some)], spectra)
            source[at] = 0
            columns[some] = spectra[:, :, mine].astype(wire)
        return columns

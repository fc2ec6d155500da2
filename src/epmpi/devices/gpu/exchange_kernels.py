"""Kernels between rows and what travels: one launch, however many ranks the modes go to."""

from __future__ import annotations

from epmpi.devices.gpu.compiler import cuda, kernel


@kernel
def cut_rows(spectra, pieces, low, width, first, local):
    """Put the modes of rows where the ranks' pieces want them; see `lines.GPULines.cut_rows`.

    A thread takes a mode, a block of threads neighbours of one row.

    Parameters
    ----------
    spectra : complex array, shape (rows, fields, modes)
    pieces : complex array, shape (local x fields x modes,)
        One piece ``(local, fields, width)`` after the other; it may be of lower precision.
    low, width : int64 array, shape (modes,)
        First mode and number of modes of the piece that a mode belongs to.
    first : int
        Which of the local rows the first one is.
    local : int
        Rows of a piece.
    """
    mode = cuda.grid(1)
    rows, fields, modes = spectra.shape
    if mode < modes:
        start, columns = low[mode], width[mode]
        field = cuda.blockIdx.z
        row = cuda.blockIdx.y
        while row < rows:
            line = local * fields * start + ((first + row) * fields + field) * columns
            pieces[line + mode - start] = spectra[row, field, mode]
            row += cuda.gridDim.y


@kernel
def join_rows(pieces, low, width, first, local, fields, begin, spectra):
    """Put the pieces of some fields of rows together; see `lines.GPULines.join_rows`.

    Parameters as of `cut_rows`, and:

    fields : int
        Of a piece.
    begin : int
        The first field that is wanted.
    """
    mode = cuda.grid(1)
    rows, _, modes = spectra.shape
    if mode < modes:
        start, columns = low[mode], width[mode]
        field = cuda.blockIdx.z
        row = cuda.blockIdx.y
        while row < rows:
            line = local * fields * start + ((first + row) * fields + begin + field) * columns
            spectra[row, field, mode] = pieces[line + mode - start]
            row += cuda.gridDim.y

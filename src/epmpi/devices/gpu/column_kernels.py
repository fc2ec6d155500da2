"""Kernels over modes: a source times its kernels, and the periodic halo rows of the responses."""

from __future__ import annotations

from epmpi.devices.gpu.compiler import cuda, kernel


@kernel
def multiply(source, kernels, imaginary, responses, before):
    """Multiply the modes of a source by real kernels, or by i times them; one thread a mode.

    The source is read once for all responses, and neighbouring threads have neighbouring modes.  It
    may lie where the first response will.

    Parameters
    ----------
    source : complex array, shape (Lx, 1, ky)
    kernels : float array, shape (fields, Lx, ky)
    imaginary : int
        Its bit f tells that kernel f is to be multiplied by i.
    responses : complex array, shape (Lx + halo, fields, ky)
        Row r holds kx = r - before; the halo rows are left as they are.
    """
    n = cuda.grid(1)
    length, _, columns = source.shape
    if n < length * columns:
        x = n // columns
        y = n - x * columns
        mode = source[x, 0, y]
        for field in range(kernels.shape[0]):
            factor = kernels[field, x, y]
            if (imaginary >> field) & 1:
                responses[x + before, field, y] = complex(-factor * mode.imag, factor * mode.real)
            else:
                responses[x + before, field, y] = complex(factor * mode.real, factor * mode.imag)


@kernel
def fill_halo(responses, length, before):
    """Copy the rows of the lattice that stand in the halo; one thread a field and column.

    Parameters
    ----------
    responses : complex array, shape (Lx + halo, fields, ky)
        Row r holds x = r - before, periodically.
    length : int
        Lx.
    """
    n = cuda.grid(1)
    columns = responses.shape[2]
    if n < responses.shape[1] * columns:
        field = n // columns
        y = n - field * columns
        for r in range(responses.shape[0] - length):
            row = r if r < before else r + length
            x = (row - before + length) % length
            responses[row, field, y] = responses[x + before, field, y]

"""Kernels over modes: a source times its kernels, and the periodic halo rows of the responses."""

from __future__ import annotations

from epmpi.devices.gpu.compiler import cuda, kernel


@cuda.jit(device=True)
def product(factor, mode, imaginary):
    """Return a mode times a real factor, or times i and the factor."""
    if imaginary:
        return complex(-factor * mode.imag, factor * mode.real)
    return complex(factor * mode.real, factor * mode.imag)


@kernel
def multiply(source, kernels, imaginary, odd, responses, before):
    """Multiply the modes of sources by real kernels, or by i times them.

    A thread takes the modes kx and -kx: a source and each kernel are read once, for all responses
    and both modes, and neighbouring threads have neighbouring modes.  A row of blocks takes a kx, a
    layer a source, so that no thread divides.  The sources may lie where the
    first responses will.

    Parameters
    ----------
    source : complex array, shape (Lx, sources, ky)
    kernels : float array, shape (fields, Lx // 2 + 1, ky)
        For kx = 0 ... Lx // 2.
    imaginary, odd : int
        Their bits f tell that kernel f is to be multiplied by i, and that it is odd in kx.
    responses : complex array, shape (Lx + halo, fields x sources, ky)
        Row r holds kx = r - before; the halo rows are left as they are.  The response of source s
        to kernel k is k x sources + s.
    """
    y = cuda.grid(1)
    length, _, columns = source.shape
    if y >= columns:
        return
    s = cuda.blockIdx.z
    sources = source.shape[1]
    x = cuda.blockIdx.y
    while x < kernels.shape[1]:  # a range would divide by its step
        opposite = length - x if x > 0 else 0
        mode = source[x, s, y]
        other = source[opposite, s, y]
        for field in range(kernels.shape[0]):
            at = field * sources + s
            factor = kernels[field, x, y]
            times_i = (imaginary >> field) & 1
            responses[x + before, at, y] = product(factor, mode, times_i)
            if opposite > x:
                if (odd >> field) & 1:
                    factor = -factor
                responses[opposite + before, at, y] = product(factor, other, times_i)
        x += cuda.gridDim.y


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

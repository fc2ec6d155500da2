"""Strips of columns of a spectrum: taken out of the exchanged array, multiplied, put back.

The exchanged arrays are ``(x, field, ky)``, so that what one rank sends to another is contiguous.
A strip is ``(columns, Lx)`` with kx contiguous: the layout in which spectra and propagators are
kept.
"""

from __future__ import annotations

from epmpi.devices.cpu.compiler import compiled

ROWS_AT_A_TIME = 8  # of the strided side, so that both sides are walked a cache line at a time


@compiled
def gather_strip(exchanged, field, first, strip):
    """Copy columns `first` ... of one field into a strip.

    Parameters
    ----------
    exchanged : complex array, shape (Lx, fields, ky)
    strip : complex array, shape (columns, Lx)
    """
    columns, length = strip.shape
    for x0 in range(0, length, ROWS_AT_A_TIME):
        x1 = min(x0 + ROWS_AT_A_TIME, length)
        for c in range(columns):
            for x in range(x0, x1):
                strip[c, x] = exchanged[x, field, first + c]


@compiled
def scatter_strip(strip, exchanged, field, first, before):
    """Copy a strip into the columns `first` ... of one field, with its periodic halo rows.

    Parameters
    ----------
    strip : complex array, shape (columns, Lx)
    exchanged : complex array, shape (Lx + halo, fields, ky)
        Row r holds x = r - before, periodically.
    before : int
        Number of halo rows below x = 0.
    """
    columns, length = strip.shape
    halo = exchanged.shape[0] - length
    for x0 in range(0, length, ROWS_AT_A_TIME):
        x1 = min(x0 + ROWS_AT_A_TIME, length)
        for c in range(columns):
            for x in range(x0, x1):
                exchanged[x + before, field, first + c] = strip[c, x]
    for r in range(halo):
        row = r if r < before else r + length
        x = (row - before) % length
        for c in range(columns):
            exchanged[row, field, first + c] = strip[c, x]


@compiled
def multiply_strip(strip, kernel, imaginary, product):
    """Multiply the modes of a strip by a real kernel, or by i times it.

    Parameters
    ----------
    strip, product : complex array, shape (columns, Lx)
    kernel : float array, shape (columns, Lx)
    imaginary : bool
    """
    columns, length = strip.shape
    for c in range(columns):
        if imaginary:
            for x in range(length):
                mode = strip[c, x]
                product[c, x] = complex(-kernel[c, x] * mode.imag, kernel[c, x] * mode.real)
        else:
            for x in range(length):
                product[c, x] = strip[c, x] * kernel[c, x]

"""Shells of wavevectors of the periodic lattice that share one modulus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHELLS = 9
LOWEST = np.pi / 16  # lowest |q| where the lattice has it; a smaller lattice starts at its own
HIGHEST = 2 * np.pi  # a wavelength of one lattice spacing
WIDTH = 0.04  # a shell lies within this fraction above its target modulus
THICKNESS = 50  # and, on large lattices, within this many spacings of the reciprocal lattice
MOST = 8  # wavevectors of a shell, +q and -q counted once


@dataclass(frozen=True)
class Shell:
    """All wavevectors q = 2 pi (kx/Lx, ky/Ly) of one modulus, one of each pair +q, -q.

    Attributes
    ----------
    modulus : float
        |q|, in inverse lattice spacings.
    wavevectors : array, shape (number, 2)
    """

    modulus: float
    wavevectors: NDArray[np.float64]


def choose_shells(shape: tuple[int, int]) -> list[Shell]:
    """Return up to `SHELLS` shells, about evenly spaced in log |q|, from `LOWEST` to `HIGHEST`.

    Every shell holds *all* wavevectors of exactly its modulus.  Within `WIDTH` above each target
    the shell with the most wavevectors is taken (more directions), but if possible none with more
    than `MOST`.  Tracers move between the sites, so |q| may lie beyond the Brillouin zone.
    """
    spacing = 2 * np.pi / max(shape)
    targets = np.geomspace(max(LOWEST, spacing), HIGHEST, SHELLS)
    shells = {shell.modulus: shell for shell in (_choose(shape, float(q)) for q in targets)}
    return [shells[modulus] for modulus in sorted(shells)]


def _choose(shape: tuple[int, int], target: float) -> Shell:
    """Return the shell for a target modulus."""
    spacing = 2 * np.pi / max(shape)
    width = min(WIDTH * target, THICKNESS * spacing)
    k = _annulus(shape, target, target + width)
    while k.size == 0:
        width = 2 * width + spacing / 8
        k = _annulus(shape, target, target + width)
    # An integer, so that equal moduli compare equal: |q|^2 = (2 pi)^2 norm / (Lx Ly)^2.
    norm = (k[:, 0] * shape[1]) ** 2 + (k[:, 1] * shape[0]) ** 2
    norms, count = np.unique(norm, return_counts=True)
    few = count <= MOST
    if few.any():
        norms, count = norms[few], count[few]
    chosen = norms[count.argmax()]
    modulus = 2 * np.pi * float(np.sqrt(chosen)) / (shape[0] * shape[1])
    return Shell(modulus, 2 * np.pi * k[norm == chosen] / np.array(shape))


def _annulus(shape: tuple[int, int], inner: float, outer: float) -> NDArray[np.int64]:
    """Return all (kx, ky) with inner <= |q| <= outer, one of each pair +-k, shape (number, 2)."""
    length_x, length_y = shape
    tolerance = 1e-12 * outer  # includes the bounds in spite of rounding
    found = []
    for kx in range(int(outer * length_x / (2 * np.pi)) + 1):
        qx = 2 * np.pi * kx / length_x
        low = np.sqrt(max(inner**2 - qx**2, 0.0)) - tolerance
        high = np.sqrt(max(outer**2 - qx**2, 0.0)) + tolerance
        ky = np.arange(
            max(int(np.ceil(low * length_y / (2 * np.pi))), 0),
            int(np.floor(high * length_y / (2 * np.pi))) + 1,
        )
        both = np.concatenate([ky, -ky[ky > 0]]) if kx > 0 else ky[ky > 0]
        found.append(np.stack([np.full(both.size, kx), both], axis=1))
    return np.concatenate(found).astype(np.int64)

"""The lattice, its slabs and its wavenumbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epmpi.physics.lattice import Lattice, Slab, slabs, split, wavenumbers


def test_lattice_counts_sites_and_modes():
    lattice = Lattice((7, 9))
    assert lattice.sites == 63
    assert lattice.modes == 5
    assert Lattice((7, 10)).modes == 6


def test_slab_knows_its_rows_and_its_first_site():
    slab = Slab(Lattice((10, 6)), 4, 7)
    assert slab.rows == 3
    assert slab.shape == (3, 6)
    assert slab.first_site == 24


@given(st.integers(1, 300), st.integers(1, 40))
def test_split_covers_the_range_in_balanced_parts(length, parts):
    cut = split(length, parts)
    assert len(cut) == parts
    assert cut[0][0] == 0
    assert cut[-1][1] == length
    assert all(stop == start for (_, stop), (start, _) in pairwise(cut))
    sizes = [stop - start for start, stop in cut]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


def test_slabs_of_all_ranks_cover_the_lattice():
    lattice = Lattice((11, 14))
    cut = slabs(lattice, 4)
    assert [slab.rows for slab in cut] == [3, 3, 3, 2]
    assert sum(slab.rows * slab.shape[1] for slab in cut) == lattice.sites
    assert [slab.first_site for slab in cut] == [0, 42, 84, 126]


@pytest.mark.parametrize("length", [4, 5, 8, 9, 31])
def test_wavenumbers_are_in_the_order_of_the_transform(length):
    np.testing.assert_array_equal(wavenumbers(length), np.fft.fftfreq(length, 1 / length))

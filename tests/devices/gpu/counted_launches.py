"""Prepared launches pass what Numba would pass, and are all that a step is made of."""

import numpy as np
import pytest
import stand_in_card as card
from two_devices import configuration_of

from epmpi.devices.gpu import compiler, launches
from epmpi.model.model import Model
from epmpi.parallel import Communicator
from epmpi.parallel.placement import place


@pytest.fixture
def packed(monkeypatch):
    """Compare the arguments of all prepared launches with Numba's; return how many there were."""
    seen, plain = {}, compiler.prepared

    def prepared(compiled, arguments):
        found = plain(compiled, arguments)
        assert found is not None
        types = tuple(compiled.typeof_pyval(argument) for argument in arguments)
        theirs = []
        for kind, argument in zip(types, arguments, strict=True):
            compiled.overloads[types]._prepare_args(
                kind, argument, launches.Queue.stream, [], theirs
            )
        numbers = [getattr(number, "value", number) for number in theirs]
        assert launches.pack(arguments, []) == numbers
        name = compiled.py_func.__name__
        seen[name] = seen.get(name, 0) + 1
        return found

    monkeypatch.setattr(compiler, "prepared", prepared)
    return seen


def model_of(comm, *overrides):
    communicator = Communicator(comm)
    return Model(
        configuration_of("tracers.every=1", *overrides), communicator, place("gpu", communicator)
    )


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("tracers", ["bilinear", "stream", "nearest"])
def test_arguments_are_those_of_numba(comm, packed, precision, tracers, monkeypatch):
    for module in ("site_kernels", "tracer_kernels", "column_kernels"):
        forget(f"epmpi.devices.gpu.{module}")
    choice = [f"run.precision={precision}", f"tracers.interpolation={tracers}"]
    model = model_of(comm, *choice)
    model.step()
    model.observables()
    assert {"advance_sites", "multiply", "sum_rows"} <= packed.keys()
    assert any(name.startswith("move_") for name in packed)


def forget(module):
    """Let all kernels of a module be prepared anew."""
    names = vars(__import__(module, fromlist=["any"]))
    for launch in names.values():
        if hasattr(launch, "prepared"):
            launch.prepared.clear()


def test_an_annealing_launches_what_is_prepared(comm, monkeypatch):
    """Its steps have other parameters each time, and no recording."""
    model = model_of(comm)
    model.step()

    def refuse(*arguments):
        raise AssertionError("a launch by way of Numba")

    monkeypatch.setattr("numba.cuda.dispatcher.CUDADispatcher.call", refuse)
    for number in range(5):
        model.temperature = 0.5 - 0.01 * number
        found = card.asked(model.step)
        assert found["launches"] > 3
    assert np.isfinite(model.temperature)

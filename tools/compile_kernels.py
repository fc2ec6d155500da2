"""Compile every CUDA kernel for a GPU that need not be there.

    pip install --target /tmp/nvcc --no-deps nvidia-cuda-nvcc-cu12
    CUDA_HOME=/tmp/nvcc/nvidia/cuda_nvcc python tools/compile_kernels.py

Numba's simulator runs kernels as plain Python, and so passes what has no types that fit; this finds
it. The wheel brings the compiler (libnvvm); neither a driver nor a card is used.
"""

from types import SimpleNamespace
from typing import Any

from numba import types as numba_types
from numba.cuda import compiler as numba_compiler
from numba.cuda import dispatcher as numba_dispatcher

types: Any = numba_types
compiler: Any = numba_compiler
dispatcher: Any = numba_dispatcher
CAPABILITY = (9, 0)  # of an H100 or H200


def kernels(real: Any, mode: Any) -> list[tuple[Any, tuple]]:
    """Return the kernels with the types of their arguments, for one precision."""
    from epmpi.devices.gpu import column_kernels, site_kernels, tracer_kernels
    from epmpi.physics.rules import Increments, SwitchingRule

    double, whole, word = types.float64, types.int64, types.uint64

    def array(kind: Any, dimensions: int, layout: str = "C") -> Any:
        return types.Array(kind, dimensions, layout)

    line, strain, active = array(real, 1), array(double, 1), array(types.int8, 1)
    field, position, flow = array(real, 2), array(double, 2), array(real, 3)
    spectra, source = array(mode, 3), array(mode, 3, "A")
    move = position, flow, whole, double, whole, whole
    counter, indices, grid = array(word, 1), array(whole, 1), array(whole, 2)
    limits = types.UniTuple(word, 2)
    rule = types.NamedTuple((whole, double, double, double, double), SwitchingRule)
    increments = types.NamedUniTuple(double, 3, Increments)
    sites = (
        line, strain, active, line, line, word, counter, word,
        limits, rule, increments, indices, indices,
    )  # fmt: skip
    batch = (
        flow, array(double, 3), array(types.int8, 3), flow, flow, counter, counter,
        limits, rule, increments, grid, grid,
    )  # fmt: skip
    waits = indices, indices, whole, counter, indices, indices, strain, indices
    return [
        (site_kernels.advance_sites, sites),
        (site_kernels.advance_batch, batch),
        (site_kernels.count_waits, waits),
        (site_kernels.fill_uniforms, (strain, word, word, word, word)),
        (site_kernels.sum_rows, (field, position, array(types.int8, 2), position)),
        (tracer_kernels.move_all, move),
        (column_kernels.multiply, (source, array(real, 3, "A"), whole, whole, source, whole)),
        (column_kernels.fill_halo, (spectra, whole, whole)),
    ]


def main() -> None:
    """Print one line a kernel."""
    card = SimpleNamespace(compute_capability=CAPABILITY)
    for module in (compiler, dispatcher):
        module.get_current_device = lambda: card
    for real, mode in ((types.float64, types.complex128), (types.float32, types.complex64)):
        for kernel, arguments in kernels(real, mode):
            function = kernel.compiled.py_func
            text, _ = compiler.compile_ptx(function, arguments, cc=CAPABILITY)
            print(f"{function.__name__:<20} {real}: {len(text.splitlines())} lines of PTX")


if __name__ == "__main__":
    main()

"""Numba's typed CUDA kernels on the host: what NVVM would be given, compiled for its processor.

The simulator runs kernels as plain Python, without types, so it finds neither a wrong promotion of
integers nor a wrong result in single precision.  Importing this lets launches run here; a block
takes one thread after the other, or threads of the host where these wait for each other.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import llvmlite.binding as llvm
import numpy as np
from numba.cuda import compiler, dispatcher, types

from epmpi.devices.gpu.launches import Queue

CAPABILITY = 9, 0
REGISTERS = {
    "tid.x": "thread_x", "ctaid.x": "block_x", "ctaid.y": "block_y", "ctaid.z": "block_z",
    "ntid.x": "threads_x", "nctaid.x": "blocks_x", "nctaid.y": "blocks_y",
}  # fmt: skip
# Of CUDA's library, under the names of the host's: as they are, and with an f.
MATHEMATICS = [
    "copysign",
    "cos",
    "exp",
    "expm1",
    "fabs",
    "floor",
    "log",
    "log1p",
    "pow",
    "sin",
    "sqrt",
]
BARRIER = "wait_for_block"


def threads_of_host() -> ctypes.CDLL:
    """Return the compiled threads.c, whose functions kernels find."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "threads.so"
        source = Path(__file__).parent / "threads.c"
        options = ["-O1", "-fPIC", "-shared", "-pthread"]
        subprocess.run(["gcc", *options, "-o", library, source], check=True)
        threads = ctypes.CDLL(str(library))
    for name in (*REGISTERS.values(), BARRIER):
        llvm.add_symbol(name, ctypes.cast(getattr(threads, name), ctypes.c_void_p).value)
    mathematics = ctypes.CDLL("libm.so.6")
    for name in itertools.chain.from_iterable((name, f"{name}f") for name in MATHEMATICS):
        at = ctypes.cast(getattr(mathematics, name), ctypes.c_void_p).value
        llvm.add_symbol(f"__nv_{name}", at)
    return threads


def for_host(text: str) -> str:
    """Return the LLVM IR of a kernel, or of a function that one calls, for the host."""
    text = re.sub(r"^target (triple|datalayout) = .*$", "", text, flags=re.MULTILINE)
    for register, name in REGISTERS.items():
        text = text.replace(f'"llvm.nvvm.read.ptx.sreg.{register}"', f'"{name}"')
    text = text.replace('"llvm.nvvm.barrier0"', f'"{BARRIER}"')
    return text.replace("\ndefine i32", "\ndefine weak_odr i32").replace(
        "common global", "weak global"
    )


def compiled(kernel, signature):
    """Return (engine, address, whether threads wait for each other) of a kernel with types."""
    found = compiler.compile_cuda(
        kernel.py_func, types.void, signature, cc=CAPABILITY, nvvm_options={"opt": 3}
    )
    whole, *others = (llvm.parse_assembly(for_host(text)) for text in found.library.llvm_strs)
    for other in others:
        whole.link_in(other)
    name = found.fndesc.llvm_func_name
    for function in whole.functions:
        if not function.is_declaration:
            function.linkage = "external" if function.name == name else "internal"
    whole.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(whole, passes)
    engine = llvm.create_mcjit_compiler(whole, machine)
    engine.finalize_object()
    return engine, engine.get_function_address(name), BARRIER in str(whole)


def numbers_of(arguments):
    """Return arguments as the numbers that they are passed as; see `launches.pack`."""
    found = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            found += [ctypes.c_void_p(0), ctypes.c_void_p(0)]
            found += map(ctypes.c_int64, (argument.size, argument.itemsize))
            found.append(ctypes.c_void_p(argument.ctypes.data))
            found += map(ctypes.c_int64, argument.shape + argument.strides)
        elif isinstance(argument, tuple):
            found += numbers_of(argument)
        else:
            kind = np.ctypeslib.as_ctypes_type(np.asarray(argument).dtype)
            found.append(kind(argument))
    return found


class Launch:
    """A kernel, its grid and its block: to be called with arguments."""

    def __init__(self, kernel, grid, block) -> None:
        self.kernel, self.grid, self.block = kernel, grid, block

    def __call__(self, *arguments) -> None:
        """Run all threads, to their end."""
        signature = tuple(self.kernel.typeof_pyval(argument) for argument in arguments)
        if (self.kernel, signature) not in KNOWN:
            KNOWN[self.kernel, signature] = compiled(self.kernel, signature)
        _, address, wait = KNOWN[self.kernel, signature]
        numbers = numbers_of(arguments)
        function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *map(type, numbers))(address)
        unused = ctypes.c_void_p()
        failed = []

        def thread(number: int, block: tuple[int, int, int]) -> None:
            place = number, *block, self.block, *self.grid[:2]
            THREADS.set_place((ctypes.c_int * 7)(*place))
            if function(ctypes.addressof(unused), *numbers):
                failed.append(number)

        for block in itertools.product(*map(range, self.grid)):
            if not wait:
                for number in range(self.block):
                    thread(number, block)
                continue
            THREADS.begin_block(self.block)
            threads = [threading.Thread(target=thread, args=(n, block)) for n in range(self.block)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
            THREADS.end_block()
        assert not failed


KNOWN: dict[tuple, tuple] = {}
THREADS = threads_of_host()
llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
CARD = SimpleNamespace(compute_capability=CAPABILITY)
for module in (compiler, dispatcher):
    module.get_current_device = lambda: CARD
assert Queue.launch is None  # Numba launches all


def let_launches_run_here(wrapped) -> None:
    """Let kernels be launched on arrays as ``wrapped(launch)(*arguments)`` hands them over."""
    dispatcher.CUDADispatcher.__getitem__ = lambda kernel, where: wrapped(
        Launch(kernel, *where[:2])
    )

"""A card that executes nothing, under the real CuPy and numba-cuda: import it before either.

Its memory is the host's.  Kernels are compiled, linked, loaded and launched, graphs captured, and
cuFFT's and NCCL's calls taken, but nothing is computed.  What is counted is what a step asks of the
card, and what a stream that is being captured refuses is refused.  So the whole path of the host
runs where there is no GPU: models, restarts, batches, several ranks.

`libcuda.so.1`, `libcufft` and `libnccl` are replaced by libraries compiled here, the CUDA runtime
that CuPy links statically by jumps into them.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
NAMES = (
    "waits", "allocations", "launches", "copies", "fills", "events", "graph_launches",
    "transforms", "plans", "exchanges", "nodes", "most_in_flight", "drained", "astray",
    "violations",
)  # fmt: skip
# Linked by CuPy, never called by us.
UNUSED = {
    "cufft": "MakePlan1d XtExec XtExecDescriptorC2C XtExecDescriptorZ2Z XtMakePlanMany XtMemcpy "
    "XtSetGPUs XtSetWorkArea",
    "nccl": "AllGather AllReduce Bcast Broadcast CommCount CommCuDevice CommGetAsyncError "
    "CommInitAll CommSplit CommUserRank Reduce ReduceScatter",
}
PAGE = 4096
READ_WRITE_EXECUTE = 7


def packages() -> Path:
    """Return the folder of the installed packages, with the headers of CUDA among them."""
    spec = importlib.util.find_spec("cupy_backends")
    if spec is None or spec.origin is None:
        raise RuntimeError("the stand-in for a card needs CuPy: pip install '.[cuda13]'")
    return Path(spec.origin).parents[1]


def built(site: Path) -> Path:
    """Return the folder of the compiled libraries; compile them where they are missing."""
    sources = sorted([*HERE.glob("*.c"), *HERE.glob("*.h")])
    key = hashlib.sha256(b"".join(source.read_bytes() for source in [*sources, Path(__file__)]))
    folder = BUILD / f"stand-in-card-{key.hexdigest()[:12]}"
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=BUILD))
        cuda = [HERE / name for name in ("card.c", "driver.c", "runtime.c")]
        compiled(site, made / "libcuda.so.1", cuda, "", "-fvisibility=hidden")
        script = made / "versions"
        script.write_text("libcufft.so.12 { global: *; };\n")
        versions = f"-Wl,--version-script={script}"
        compiled(site, made / "libcufft.so.12", [HERE / "cufft.c"], "cufft", versions)
        compiled(site, made / "libnccl.so.2", [HERE / "nccl.c"], "nccl")
        with contextlib.suppress(OSError):  # another process was faster
            made.rename(folder)
    return folder


def compiled(site: Path, library: Path, sources: list[Path], unused: str, *options: str) -> None:
    """Compile a library, with functions that refuse in place of those that are not called."""
    names = UNUSED.get(unused, "").split()
    stubs = library.with_suffix(".c")
    stubs.write_text("".join(f"int {unused}{name}(void) {{ return 1; }}\n" for name in names))
    headers = [site / "nvidia/cu13/include", site / "nvidia/nccl/include"]
    command = [
        "gcc", "-O1", "-fPIC", "-shared", f"-Wl,-soname,{library.name}", *options,
        *(f"-I{folder}" for folder in headers), "-o", library, *sources, stubs, "-ldl",
    ]  # fmt: skip
    subprocess.run(command, check=True)


def replace_runtime(path: Path) -> None:
    """Let the functions of the CUDA runtime in a library of CuPy jump into the stand-in."""
    ctypes.CDLL(str(path))
    maps = Path("/proc/self/maps").read_text(encoding="ascii", errors="replace")
    found = re.search(rf"^([0-9a-f]+)-.* {re.escape(str(path))}$", maps, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{path} is not in memory")
    base, libc = int(found[1], 16), ctypes.CDLL(None)
    listed = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    for at, name in re.findall(r"^([0-9a-f]+) [tT] (cuda[A-Z]\w*)$", listed, re.MULTILINE):
        if name.endswith(("_ptsz", "_ptds")):
            continue
        code = b""
        function = getattr(CARD, f"runtime_{name}", None)
        if function is None:
            function = CARD.runtime_unknown
            KEPT.append(ctypes.create_string_buffer(name.encode()))
            code = b"\x48\xbf" + ctypes.addressof(KEPT[-1]).to_bytes(8, "little")
        target = ctypes.cast(function, ctypes.c_void_p).value or 0
        code += b"\x48\xb8" + target.to_bytes(8, "little") + b"\xff\xe0"
        address = base + int(at, 16)
        page = ctypes.c_void_p(address & -PAGE)
        if libc.mprotect(page, ctypes.c_size_t(2 * PAGE), READ_WRITE_EXECUTE):
            raise RuntimeError(f"{name} in {path} cannot be replaced")
        ctypes.memmove(address, code, len(code))


def counts() -> dict[str, int]:
    """Return what was asked of the card so far."""
    numbers = (ctypes.c_long * len(NAMES))()
    CARD.card_counts(numbers)
    return dict(zip(NAMES, numbers, strict=True))


def asked(work, *arguments) -> dict[str, int]:
    """Return what some work asks of the card, and the most graphs that were in flight."""
    before = counts()
    CARD.card_forget_the_most()
    work(*arguments)
    found = counts()
    most = found["most_in_flight"]
    return {name: found[name] - before[name] for name in NAMES} | {"most_in_flight": most}


def taken() -> int:
    """Return the bytes that CuPy has taken of the card."""
    CARD.card_taken.restype = ctypes.c_size_t
    return int(CARD.card_taken())


def free() -> None:
    """Let CuPy free unused memory."""
    gc.collect()
    cupy.get_default_memory_pool().free_all_blocks()


def set_cards(number: int) -> None:
    """Let the process see so many cards."""
    ctypes.c_int.in_dll(CARD, "card_total").value = number


def set_memory(size: int) -> None:
    """Give each card so many bytes."""
    ctypes.c_size_t.in_dll(CARD, "card_bytes").value = size


if "cupy" in sys.modules:
    raise RuntimeError("CuPy was imported before its stand-in for a card")
SITE = packages()
FOLDER = built(SITE)
KEPT: list[ctypes.Array] = []  # texts that replaced functions tell
CARD, *_OTHERS = (
    ctypes.CDLL(str(FOLDER / name), mode=ctypes.RTLD_GLOBAL)
    for name in ("libcuda.so.1", "libcufft.so.12", "libnccl.so.2")
)
set_cards(int(os.environ.get("STAND_IN_CARDS", "1")))
if "STAND_IN_UUID" in os.environ:
    (ctypes.c_ubyte * 16).in_dll(CARD, "card_uuid")[:] = bytes.fromhex(os.environ["STAND_IN_UUID"])
replace_runtime(next((SITE / "cupy_backends/cuda/api").glob("runtime*.so")))

import cupy  # noqa: E402  (now that there is a card)
import cupy.cuda.thrust  # noqa: E402

cupy.cuda.thrust.argsort = lambda *arguments: None  # it links a runtime of its own


def none_nonzero(array: cupy.ndarray) -> cupy.ndarray:
    """Return no index, but wait as CuPy does, which reads their number from the card."""
    cupy.zeros(1, np.int64).get()
    return cupy.zeros(0, np.int64)


cupy.flatnonzero = none_nonzero  # nobody has counted them

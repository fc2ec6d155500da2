"""Compiled code on disk: a convenience, whose failure never stops a run.

Every compiled function has a file of its own, whose name is a hash of all that the code depends
on and which begins with a checksum.  It appears by one rename.  So ranks that compile the same at
once replace like by like, and a file that is cut off or damaged is detected and made again.
Numba's own cache has neither: it numbers its files in an index that all processes write to.

The folders are tried in order: `NUMBA_CACHE_DIR`; epmpi below `XDG_CACHE_HOME` or `~/.cache`; one
of this user below `TMPDIR`.  Code is read from any of them and kept in the first that takes it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

import epmpi.physics

CHECKSUM = hashlib.sha256
_PRIVATE = f"epmpi-{os.getuid()}"  # in the folder for temporary files, where others write too


def folders() -> Iterator[Path]:
    """Yield the folders for compiled code, the best one first."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
    if named := os.environ.get("XDG_CACHE_HOME"):
        yield Path(named) / "epmpi"
    with suppress(RuntimeError):  # a container's user need not have a home
        yield Path.home() / ".cache" / "epmpi"
    with suppress(FileNotFoundError):  # nor need there be a place for temporary files
        yield Path(tempfile.gettempdir()) / _PRIVATE


def _is_trusted(folder: Path) -> bool:
    """Tell whether no other user could have put code below a folder for temporary files."""
    if folder.name != _PRIVATE:
        return True
    with suppress(OSError):
        found = folder.lstat()
        mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        return mine and not found.st_mode & 0o022
    return False


class CodeFiles:
    """The files of one process, all below folders that bear a hash of the sources.

    Attributes
    ----------
    tell : function of a text
        Receives messages for the user: that something is compiled, or cannot be kept.
    place : Path or None
        The folder that code was last read from or kept in.
    """

    def __init__(self, version: str) -> None:
        self.tell: Callable[[str], None] = lambda text: None
        self.place: Path | None = None
        self._version = version
        self._refused: dict[Path, str] = {}  # folder: why nothing is kept there
        self._reported: set[str] = set()

    def load(self, name: str, key: Any) -> Any:
        """Return the code of this name and key, or None."""
        for folder in folders():
            path = folder / self._version / name
            with suppress(OSError):
                if not _is_trusted(folder):
                    continue
                content = path.read_bytes()
                with suppress(Exception):  # whatever a damaged pickle may raise
                    size = CHECKSUM().digest_size
                    if CHECKSUM(content[size:]).digest() == content[:size]:
                        stored, code = pickle.loads(content[size:])
                        if stored == key:
                            self.place = folder
                            return code
                path.unlink()
        return None

    def save(self, name: str, key: Any, code: Any) -> None:
        """Keep code in the first folder that takes it; report once if a better one did not."""
        content = dumps((key, code))
        content = CHECKSUM(content).digest() + content
        for folder in folders():
            if folder in self._refused:
                continue
            try:
                self._write(folder, name, content)
            except OSError as error:
                self._refused[folder] = f"{folder}: {error.strerror or error}"
            else:
                self.place = folder
                if self._refused:
                    self._report_once(f"{self._why()}; it is kept in {folder}")
                return
        remedy = "every run compiles anew; set NUMBA_CACHE_DIR to a folder that can be written to"
        self._report_once(f"{self._why()}: {remedy}")

    def begins_to_compile(self) -> None:
        """Report that the following wait is for the compiler."""
        self._report_once("compiling for this processor, once: about half a minute")

    def _why(self) -> str:
        return f"compiled code cannot be kept ({', '.join(self._refused.values())})"

    def _report_once(self, text: str) -> None:
        if text not in self._reported:
            self._reported.add(text)
            self.tell(text)

    def _write(self, folder: Path, name: str, content: bytes) -> None:
        # Only the last folder needs to be private; who may look into the others is the user's.
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if not _is_trusted(folder):
            raise OSError("others may write to it")
        target = folder / self._version
        target.mkdir(exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=target)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(aside, target / name)
        except BaseException:
            os.unlink(aside)
            raise


def _source_hash() -> str:
    """Return a hash of every source that goes into the compiled loops, and of the compiler.

    Numba itself looks at one source only: code that imports a changed function stays stale.
    """
    devices, physics = Path(__file__).parents[1], Path(str(epmpi.physics.__file__)).parent
    folders = devices.glob("*.py"), (devices / "cpu").rglob("*.py"), physics.glob("*.py")
    sources = sorted(path for folder in folders for path in folder)
    digest = CHECKSUM(f"{numba.__version__} {sys.version}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


FILES = CodeFiles(f"cpu-{_source_hash()}")


class CodeCache(_Cache):
    """The compiled forms of one function, with the interface of Numba's caches.

    Parameters
    ----------
    function : function
        The plain one.
    """

    def __init__(self, function: Callable) -> None:
        self._function = function

    @property
    def cache_path(self) -> str:
        """The best folder for the code, which may refuse it."""
        return str(next(folders(), ""))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled form for types of arguments, or None: it is compiled then."""
        target_context.refresh()
        code = FILES.load(*self._name_and_key(sig, target_context.codegen()))
        if code is not None:
            with suppress(Exception):  # as for another version: it is compiled and saved anew
                return CompileResult._rebuild(target_context, *code)
        FILES.begins_to_compile()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form, unless it holds addresses of this process."""
        if not data.library.has_dynamic_globals and not data.lifted:
            FILES.save(*self._name_and_key(sig, data.codegen), data._reduce())

    def _name_and_key(self, signature: Any, codegen: Any) -> tuple[str, Any]:
        """Return the name of the file, and what must be the same: types, processor, bytes."""
        function = self._function
        cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
        processor = codegen.magic_tuple()
        place = f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"
        code = CHECKSUM(function.__code__.co_code + dumps(cells)).hexdigest()
        key = (place, signature, processor, code)
        digest = CHECKSUM(repr((place, str(signature), processor, code)).encode())
        return f"{function.__name__}-{digest.hexdigest()[:32]}", key

    # Required by Numba; not called here.

    def enable(self) -> None:
        """Do nothing: it is always enabled."""

    def disable(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing: a file depends on all that its name is a hash of."""

"""The layers of the package: who may import whom, read from the source files.

A room is a package directly in ``src/epmpi``. A room imports only rooms below its own, and never a
neighbour of its own line. Within a room imports run in no circle; where modules stand on each
other on purpose, their floors are written here. A new room, or a module of such a room, must be
given its place here.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = "epmpi"

# Rooms from the ground up: a room imports only rooms below its own. Those of one line do not know
# each other.
ROOMS = (
    {"config", "host", "physics", "trust"},
    {"devices"},
    {"parallel"},
    {"spectral"},
    {"model"},
    {"output"},
    {"run"},
    {"ensemble"},
    {"cli"},
    {"__init__"},
)
# Floors of a room whose modules stand on each other.
FLOORS = {
    "model": (
        {"elasticity", "activation", "expected", "tracers", "fields", "passes", "state"},
        {"completed", "waiting"},
        {"clock", "imposed", "initial", "motion"},
        {"exact", "steps"},
        {"model"},
        {"batch"},
    ),
    "run": (
        {"clock_advice", "insistence", "progress", "schedule", "size_advice", "steady", "watchdog"},
        {"stopping"},
        {"warmup", "planning"},
        {"calls", "recorder"},
        {"course"},
        {"simulation"},
    ),
    "devices": (
        {
            "arrays",
            "visible",
            "departures",
            "repeated_step",
            "scalars",
            "site_update",
            "thinning",
            "tracer_move",
        },
        {"jumps"},
        {"device"},
        {"cpu", "gpu"},
    ),
    "physics": (
        {"advection", "jumps", "lattice", "propagators", "randomness", "rules"},
        {"switching"},
    ),
}
# Rooms beside the others: what they may import.
BESIDE = {
    "analysis": {"config", "host", "parallel", "physics", "trust"},
    "campaign": {"config", "host", "analysis", "physics", "trust"},
    "watch": {"config", "analysis", "trust"},
    "paper": {"config", "analysis", "campaign"},
}
# Rooms that may import a room from beside the others.
MAY_IMPORT_BESIDE = {"cli": {"analysis", "campaign", "paper", "watch"}, "__init__": {"analysis"}}

# Packages that only one place knows.
OWNERS = {
    "cupy": {"devices"},
    "cupyx": {"devices"},
    "llvmlite": {"devices"},
    "numba": {"devices"},
    "mpi4py": {"parallel"},
    "mpi4py_fft": {"spectral"},
}
# Rooms that may import inside a function: the command line, so that `epmpi run` does not wait for
# the plots' packages, and those that choose among engines, or look for a library, which need not be
# installed.
MAY_IMPORT_LATE = {"cli", "devices", "parallel", "spectral", "__init__"}


@dataclass(frozen=True)
class Import:
    """One import of one name: the full path as written, and its line."""

    name: str
    line: int
    late: bool  # inside a function


def sources() -> dict[str, Path]:
    """Return {module name: file} of the whole package."""
    files = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def room(module: str) -> str:
    """Return the room of a module of the package: ``epmpi.output.h5md`` is of ``output``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def floor(module: str) -> int | None:
    """Return the floor of a module in its room; None if the room has no floors."""
    parts = module.split(".")
    if room(module) not in FLOORS or len(parts) == 2:
        return None
    floors = FLOORS[room(module)]
    for height, names in enumerate(floors):
        if parts[2] in names:
            return height
    raise AssertionError(f"{module} has no floor: give it its place in {Path(__file__).name}")


def imports(module: str, path: Path) -> Iterator[Import]:
    """Yield what a file imports, relative imports made absolute."""

    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, late)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if path.name == "__init__.py" else parent(module)
                base = ".".join([*package[: len(package) - node.level + 1], *base.split(".")])
            for alias in node.names:
                yield Import(f"{base.rstrip('.')}.{alias.name}", node.lineno, late)
        late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, late)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def parent(module: str) -> list[str]:
    """Return the parts of the name of the package that a module is in."""
    return module.split(".")[:-1]


def target(imported: Import) -> str | None:
    """Return the module of ours that is imported, or None if it is another package's.

    The package itself stands for nothing: it is always imported first, and only its version is
    taken from it.
    """
    parts = imported.name.split(".")
    if parts[0] != PACKAGE or parts[1:] in ([], ["__version__"]):
        return None
    while ".".join(parts) not in SOURCES:
        parts = parts[:-1]
    return ".".join(parts)


def allowed(name: str) -> set[str]:
    """Return the rooms that a room may import, itself included."""
    if name in BESIDE:
        return BESIDE[name] | {name}
    for height, line in enumerate(ROOMS):
        if name in line:
            return set().union(*ROOMS[:height], {name}, MAY_IMPORT_BESIDE.get(name, set()))
    raise AssertionError(
        f"{PACKAGE}/{name} is in no line: give it its place in {Path(__file__).name}"
    )


SOURCES = sources()


@pytest.fixture(params=SOURCES)
def module(request):
    return request.param


def test_imports_point_downwards(module):
    """Imports for the type checker count too: they are dependencies of the thought."""
    wrong = []
    for imported in imports(module, SOURCES[module]):
        other = target(imported)
        if other is not None and room(other) not in allowed(room(module)):
            wrong.append(f"{SOURCES[module]}:{imported.line}: {room(module)} imports {room(other)}")
    allowed(room(module))
    assert not wrong, "\n".join(wrong)


def test_floors_stand_on_lower_ones(module):
    mine = floor(module)
    if mine is None:
        return
    wrong = []
    for imported in imports(module, SOURCES[module]):
        other = target(imported)
        same = other is not None and room(other) == room(module)
        if same and folder(other) != folder(module) and (floor(other) or 0) >= mine:
            wrong.append(f"{SOURCES[module]}:{imported.line}: {module} imports {other}")
    assert not wrong, "\n".join(wrong)


def folder(module: str) -> str:
    """Return the module or package of a room that a module is of."""
    return module.split(".")[2] if module.count(".") > 1 else ""


def test_outer_packages_are_known_in_one_place(module):
    wrong = []
    for imported in imports(module, SOURCES[module]):
        owners = OWNERS.get(imported.name.split(".")[0])
        if owners is not None and room(module) not in owners:
            wrong.append(
                f"{SOURCES[module]}:{imported.line}: {imported.name} belongs to {', '.join(owners)}"
            )
    assert not wrong, "\n".join(wrong)


def test_imports_stand_at_the_top(module):
    late = [
        f"{SOURCES[module]}:{imported.line}: {imported.name} is imported inside a function"
        for imported in imports(module, SOURCES[module])
        if imported.late and room(module) not in MAY_IMPORT_LATE
    ]
    assert not late, "\n".join(late)


def test_no_cycles():
    """Within packages too, and among imports for the type checker alone."""
    graph = {
        module: {
            target(imported)
            for imported in imports(module, path)
            if target(imported) not in (None, module)
        }
        for module, path in SOURCES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_architecture_names_every_module():
    """In the table of the packages, in the line of its own; the rooms, in that of the layers."""
    text = (SOURCE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    missing = []
    for name, path in SOURCES.items():
        place = path.parent.relative_to(SOURCE / PACKAGE)
        if path.stem.startswith("__") or place == Path("."):
            continue
        here = [line for line in lines if line.startswith(f"| `{place.as_posix()}/` |")]
        if not any(f"`{path.stem}`" in line for line in here):
            missing.append(name)
    rooms = "".join(line for line in lines if not line.startswith("| `"))
    unnamed = {room(name) for name in SOURCES} - {"__init__", "__main__"}
    missing += [name for name in sorted(unnamed) if f"`{name}/`" not in rooms]
    assert not missing, f"ARCHITECTURE.md lacks {', '.join(missing)}"

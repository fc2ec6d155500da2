"""The layers of the package: who may import whom, read from the source files.

A unit is a module or a package directly in ``src/epmpi``. A unit imports only units of layers below
its own, and never a neighbour of its own layer; a package may import within itself. A new unit must
be given its place here.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = "epmpi"

LAYERS = (
    {
        "config",
        "exits",
        "launchers",
        "host_memory",
        "lattice",
        "propagators",
        "randomness",
        "rules",
        "sealed",
        "signals",
        "telling",
        "trust",
    },
    {"devices"},
    {"parallel"},
    {"spectral", "placement", "groups", "insistence"},
    {"elasticity", "activation", "tracers", "fields", "passes", "state", "waiting"},
    {"clock", "imposed", "initial", "motion"},
    {"exact", "steps"},
    {"model"},
    {"batch", "clock_advice", "output", "progress", "stopping", "schedule", "steady", "watchdog"},
    {"warmup", "planning", "recorder", "surroundings"},
    {"calls"},
    {"course"},
    {"simulation"},
    {"ensemble"},
    {"cli"},
    {"__init__", "__main__"},
)
# Units beside the layers: what they may import.
BESIDE = {
    "analysis": {"config", "host_memory", "lattice", "parallel", "propagators", "trust"},
    "campaign": {"config", "exits", "launchers", "analysis", "propagators", "trust"},
    "watch": {"config", "analysis", "trust"},
    "paper": {"config", "analysis", "campaign"},
}
# Units that may import a unit from beside the layers.
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
# Units that may import inside a function: the command line, so that `epmpi run` does not wait for
# the plots' packages, and those that choose among engines, or look for a library, which need not be
# installed.
MAY_IMPORT_LATE = {"cli", "devices", "parallel", "spectral", "__init__"}


@dataclass(frozen=True)
class Import:
    """One import of one name: the full path as written, and where it stands."""

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


def unit(module: str) -> str:
    """Return the unit of a module of the package: ``epmpi.output.h5md`` is of ``output``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


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
    """Return the units that a unit may import, itself included."""
    if name in BESIDE:
        return BESIDE[name] | {name}
    for height, layer in enumerate(LAYERS):
        if name in layer:
            return set().union(*LAYERS[:height], {name}, MAY_IMPORT_BESIDE.get(name, set()))
    raise AssertionError(
        f"{PACKAGE}/{name} has no layer: give it its place in {Path(__file__).name}"
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
        if other is not None and unit(other) not in allowed(unit(module)):
            wrong.append(f"{SOURCES[module]}:{imported.line}: {unit(module)} imports {unit(other)}")
    allowed(unit(module))
    assert not wrong, "\n".join(wrong)


def test_outer_packages_are_known_in_one_place(module):
    wrong = []
    for imported in imports(module, SOURCES[module]):
        owners = OWNERS.get(imported.name.split(".")[0])
        if owners is not None and unit(module) not in owners:
            wrong.append(
                f"{SOURCES[module]}:{imported.line}: {imported.name} belongs to {', '.join(owners)}"
            )
    assert not wrong, "\n".join(wrong)


def test_imports_stand_at_the_top(module):
    late = [
        f"{SOURCES[module]}:{imported.line}: {imported.name} is imported inside a function"
        for imported in imports(module, SOURCES[module])
        if imported.late and unit(module) not in MAY_IMPORT_LATE
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
    """In the table of the packages, in the line of its own; the units, in that of the layers."""
    text = (SOURCE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    missing = []
    for name, path in SOURCES.items():
        folder = path.parent.relative_to(SOURCE / PACKAGE)
        if path.stem.startswith("__") or folder == Path("."):
            continue
        here = [line for line in lines if line.startswith(f"| `{folder.as_posix()}/` |")]
        if not any(f"`{path.stem}`" in line for line in here):
            missing.append(name)
    units = "".join(line for line in lines if not line.startswith("| `"))
    unnamed = {unit(name) for name in SOURCES} - {"__init__", "__main__"}
    missing += [name for name in sorted(unnamed) if not re.search(rf"`{name}/?`", units)]
    assert not missing, f"ARCHITECTURE.md lacks {', '.join(missing)}"

"""Settings of users' machines: encodings, other programs, files with common names."""

import ast
import os
from pathlib import Path

import h5py
import matplotlib
import pytest

from epmpi import Simulation, from_mapping
from epmpi.analysis.figures.style import STYLE, drawing

SOURCE = Path(__file__).parent.parent / "src"
SMALL = """
[lattice]
shape = [16, 12]
[tracers]
number = 10
[time]
warmup = 0.5
duration = 20.0
[output]
fields_every = 5.0
"""


def written(tree):
    """Yield the calls of a module that open a text without naming its encoding."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        names = {keyword.arg for keyword in node.keywords}
        plain = isinstance(node.func, ast.Name)
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        binary = any(isinstance(mode, str) and "b" in mode for mode in modes)
        text = (
            (called == "open" and plain and not binary and not isinstance(node.args[0], ast.Call))
            or called in ("read_text", "write_text")
            or ("text" in names and called in ("run", "Popen", "check_output"))
        )
        if text and "encoding" not in names:
            yield node.lineno


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_texts_do_not_depend_on_the_locale(path):
    lines = list(written(ast.parse(path.read_text(encoding="utf-8"))))
    assert not lines, f"{path}: no encoding in lines {lines}"


def test_the_search_for_texts_finds_some():
    wrong = "open(p, 'w')\np.read_text()\nsubprocess.run(c, text=True)\n"
    right = "open(p, 'rb')\nopen(p, encoding='utf-8')\nos.open(p, 0)\nf.open(p)\n"
    assert list(written(ast.parse(wrong + right))) == [1, 2, 3]


# No letters at all; the letters of ASCII on the screen alone.
LOCALES = {
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "C": {"LC_ALL": "C"},
    "screen": {"PYTHONIOENCODING": "ascii"},
}


@pytest.mark.ci
@pytest.mark.parametrize("variables", LOCALES.values(), ids=LOCALES)
def test_names_in_any_letters_under_any_locale(commands, tmp_path, variables):
    """The name is stored as it is where files are; on the screen some letters may be lost."""
    folder = tmp_path / "Fließgrenze σ"
    folder.mkdir()
    (folder / "été.toml").write_text(SMALL, encoding="utf-8")
    for code, _, errors in commands(
        ["run", "été.toml", "-o", "Ünder"],
        ["watch", "--once", "Ünder"],
        ["analyse", "Ünder", "--report"],
        ["export", "Ünder", "-o", "für andere"],
        ["resume", "Ünder", "--set", "time.duration=21.0"],
        cwd=folder,
        **variables,
    ):
        assert code == 0, errors
        assert "Traceback" not in errors
    with h5py.File(folder / "Ünder" / "analysis.h5") as file:
        assert file["source"].attrs["run"] == "Ünder"
    assert "<h1>Ünder</h1>" in (folder / "Ünder" / "report.html").read_text(encoding="utf-8")
    assert "../Ünder/run.h5:" in (folder / "für andere" / "fields.xdmf").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """Return a RUN with fields."""
    mapping = {"lattice": {"shape": [16, 12]}, "tracers": {"number": 10}}
    mapping |= {"time": {"warmup": 0.0, "duration": 20.0}, "output": {"fields_every": 5.0}}
    directory = tmp_path_factory.mktemp("surroundings") / "run"
    return Simulation(from_mapping(mapping)).run(directory, progress=False)


@pytest.mark.parametrize(
    ("settings", "backend"),
    [
        (b"text.usetex: True\nfont.family: Nowhere Sans\n", "qtagg"),
        (b"savefig.format: pdf\nfigure.autolayout: True\n", "no such backend"),
        (b"# \xe9t\xe9\n", "module://nowhere.backend"),
    ],
    ids=["LaTeX", "format", "unreadable"],
)
@pytest.mark.ci
def test_figures_take_no_settings_of_the_user(commands, small_run, tmp_path, settings, backend):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "matplotlibrc").write_bytes(settings)
    variables = {"MPLBACKEND": backend, "MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    for code, _, errors in commands(
        ["analyse", small_run, "-o", tmp_path / "out"],
        ["watch", "--once", small_run],
        PATH="/nowhere",
        **variables,
    ):
        assert code == 0, errors
    assert list((tmp_path / "out").glob("*.png"))


def test_a_program_keeps_its_own_settings(tmp_path):
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9.0}):
        with drawing(tmp_path / "a.png", 2.0, 2.0) as figure:
            assert not matplotlib.rcParams["text.usetex"]
            assert matplotlib.rcParams["lines.linewidth"] == STYLE["lines.linewidth"]
            figure.subplots().set_title("$\\sigma$")
        assert matplotlib.rcParams["text.usetex"]
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


SCAN = SMALL + '[scan]\nquantities = ["activity"]\n[scan.grid]\n"model.temperature" = [0.2, 0.3]\n'


@pytest.mark.ci
@pytest.mark.parametrize("name", ["random.py", "types.py"])
def test_files_with_the_names_of_modules_do_not_hinder_a_scan(launch, tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "two.toml").write_text(SCAN, encoding="utf-8")
    # As the command `epmpi` starts: without the working directory among the modules' folders.
    start = ("-P", "-m", "epmpi.cli", "scan", "two.toml", "--workers", "2")
    done = launch(*start, cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    assert (tmp_path / "scans" / "two" / "table.md").exists()
    assert "PYTHONSAFEPATH" not in os.environ

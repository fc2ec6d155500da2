"""The pages of the site: their commands exist, their programs run, what they quote is there."""

import re
import shlex
from pathlib import Path

import documentation
import gallery
import pytest
from patches import blocks

from epmpi.cli.commands import command_parser

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMES = {"CONFIG.toml": "a.toml", "CAMPAIGN.toml": "b.toml", "RUN": "runs/a", "DIR": "out"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_commands_exist(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for line in re.findall(r"^    (?:mpi\w+ -n \d+ |srun -n \d+ )?epmpi (.*)", text, re.MULTILINE):
        words = re.sub(r"[\[\]]|\.\.\.", "", line.split("#")[0])
        words = words.replace("FIGURE", "").replace("section.key=value", "run.seed=1")
        for name, value in NAMES.items():
            words = words.replace(name, value)
        command_parser().parse_args(shlex.split(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_it_quotes_is_there(page):
    for name, heading in documentation.SECTION.findall(page.read_text()):
        assert documentation.section(ROOT / name, heading)


def test_every_page_is_in_the_menu():
    menu = re.findall(r": (\w+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    made = {"configuration.md", "examples.md", "validation.md"}
    assert set(menu) == {page.name for page in PAGES} | made


def test_the_messages_of_failures_are_those_of_the_code():
    """The source has the text of each message between the dots."""
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # texts that go over several lines
    source = re.sub(r"\{[^{}]*\}", "...", source).replace('\\"', '"')
    page = (ROOT / "docs" / "clusters.md").read_text().split("## Failures and their messages")[1]
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) >= 10
    for row in rows:
        for part in re.search(r"`(.*)`", row)[1].split("..."):
            assert part.strip() in source, f"{part!r} of {row}"


def test_examples_have_headers_with_physics_and_times():
    page = documentation.examples()
    parts = page.split("\n## ")[1:]
    assert len(parts) >= 12
    for part in parts:
        assert "Run time: " in part, part
    assert "RUNTIME" not in page
    for number in range(1, 9):
        assert f"\n## 0{number}_" in page


def test_the_gallery_has_a_small_figure_of_every_example():
    page = documentation.examples()
    names = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    files = {path.name for path in (ROOT / "examples").iterdir() if path.is_file()}
    assert files <= set(documentation.FIGURES) <= names
    for name in names - set(documentation.FIGURES):  # those have a page of their own
        assert "docs/" in documentation.header(ROOT / "examples" / name)
    for name, (image, _) in documentation.FIGURES.items():
        assert f"![{name}]({image})" in page
        largest = 200_000 if name in documentation.CAMPAIGNS else 120_000
        assert 0 < (ROOT / "docs" / image).stat().st_size < largest


def test_the_commands_of_the_gallery_are_those_of_the_examples():
    for group in gallery.GROUPS:
        assert all((ROOT / "examples" / name).exists() for name in group.figures)
        for name in group.figures:
            text = (ROOT / "examples" / name).read_text()
            assert any(name in command for command in group.commands), name
            assert any(f"examples/{name}" in line for line in text.splitlines()), name


def test_a_section_ends_at_the_next_heading(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\none\n## B\ntwo\n### C\nthree\n## D\nfour\n")
    assert documentation.section(page, "B") == "two\n### C\nthree"
    assert documentation.section(page, "D") == "four"
    with pytest.raises(ValueError, match="no heading 'E'"):
        documentation.section(page, "E")


@pytest.mark.ci
def test_the_first_run_and_the_reading_examples(launch, tmp_path):
    """The quick start's configuration and program, then all programs of the output page."""
    index, output = ROOT / "docs" / "index.md", ROOT / "docs" / "output.md"
    [configuration], programs = blocks(index, "toml"), blocks(index, "python")
    short = {"128, 128": "16, 16", "number = 1000": "number = 20", "100.0": "2.0", "400.0": "20.0"}
    for long, brief in short.items():
        assert long in configuration
        configuration = configuration.replace(long, brief)
    (tmp_path / "first.toml").write_text(configuration)
    for command in ("run first.toml", "export runs/first"):
        done = launch("-m", "epmpi.cli", *command.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    readers = blocks(output, "python")
    assert (len(programs), len(readers)) == (2, 5)
    text = "\n".join([*programs, *readers]).replace("empty(1000,", "empty(20,")
    (tmp_path / "program.py").write_text(text)
    done = launch("program.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "('time', 'x', 'y') yield stress" in done.stdout

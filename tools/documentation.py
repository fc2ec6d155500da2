"""Hooks of the documentation site (mkdocs.yml): pages made from the code, equations as MathML.

- `configuration.md` is made from the table of keys, `examples.md` from the headers of the examples.
- A line `<!-- section: FILE HEADING -->` stands for that section of another file of the repository.
- A line `<!-- code: FILE CLASS.METHOD -->` stands for the code of that method.
- Equations become MathML, which browsers draw themselves: the site needs no other server.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import gallery  # noqa: E402
from configuration_reference import reference  # noqa: E402

SECTION = re.compile(r"^<!-- section: (\S+) (.+?) -->$", re.MULTILINE)
CODE = re.compile(r"^<!-- code: (\S+) (\w+)\.(\w+) -->$", re.MULTILINE)
EQUATION = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
NUMBER = re.compile(r"\\tag\{(.*?)\}")
EXAMPLES_INTRODUCTION = """\
# Examples

The files of `examples/`, with their headers. Configurations are run by `epmpi run`, campaigns by
`epmpi scan`; scripts take changes of the configuration as arguments. Run times are processor
seconds of one core that was busy with other work too, the loops compiled before. Every example runs
in the tests in a short form. Each figure was made by its example, at the size that it has:
`make gallery` makes them anew, in about ten minutes of one core.
"""
CAMPAIGNS = {  # that have a page
    f"campaigns/{name}.toml": name
    for name in ("finite_size", "readings", "time_step", "tracers_every", "uniqueness")
}
FIGURES = {  # of an example: the image, and what it shows
    example: (gallery.image_of(example).as_posix(), caption)
    for group in gallery.GROUPS
    for example, (_, caption) in group.figures.items()
} | {
    example: (
        f"campaigns/images/{name}-figure.png",
        f"Its figure, from [the page of this campaign](campaigns/{name}.md)",
    )
    for example, name in CAMPAIGNS.items()
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made from the code."""
    from mkdocs.structure.files import File  # here: the other tools run without MkDocs

    pages = {"configuration.md": reference(), "examples.md": examples()}
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **context: Any) -> str:
    """Put sections and code of other files where a page names them."""
    markdown = CODE.sub(lambda found: method(ROOT / found[1], found[2], found[3]), markdown)
    return SECTION.sub(lambda found: section(ROOT / found[1], found[2]), markdown)


def on_page_content(html: str, **context: Any) -> str:
    """Turn the equations of a page into MathML."""
    return EQUATION.sub(lambda found: mathml(found["tex"], found["tag"] == "div"), html)


def section(path: Path, heading: str) -> str:
    """Return what stands under a heading of a Markdown file, without the heading.

    Raises
    ------
    ValueError
        If there is no such heading.
    """
    text = path.read_text(encoding="utf-8")
    level = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if level is None:
        raise ValueError(f"{path} has no heading {heading!r}")
    rest = text[level.end() :]
    next_heading = re.search(rf"^#{{1,{len(level[1])}}} ", rest, re.MULTILINE)
    return rest[: next_heading.start() if next_heading else None].strip()


def method(path: Path, of: str, name: str) -> str:
    """Return the code of a method of a class in a Python file, as a block of Markdown.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        for inner in node.body if isinstance(node, ast.ClassDef) and node.name == of else []:
            if isinstance(inner, ast.FunctionDef) and inner.name == name:
                lines = text.splitlines()[inner.lineno - 1 : inner.end_lineno]
                return "\n".join(["```python", textwrap.dedent("\n".join(lines)), "```"])
    raise ValueError(f"{path} has no {of}.{name}")


def mathml(tex: str, block: bool) -> str:
    r"""Return an equation in MathML; the number in its `\tag` stands at the right of a block."""
    from html import unescape

    from latex2mathml.converter import convert

    tex = unescape(tex)
    number = NUMBER.search(tex)
    made = str(convert(NUMBER.sub("", tex).strip(), display="block" if block else "inline"))
    if not block:
        return made
    label = f'<span class="number">({number[1]})</span>' if number else ""
    return f'<div class="equation">{made}{label}</div>'


def examples() -> str:
    """Return the page of the examples: each file's name and header."""
    parts = [EXAMPLES_INTRODUCTION]
    folder = ROOT / "examples"
    files = [folder / "quickstart.toml", *sorted(folder.glob("0*")), *sorted(folder.glob("*/*"))]
    for path in files:
        name = path.relative_to(folder).as_posix()
        parts += [f"## {name}", "", "```text", header(path), "```", ""]
        if name in FIGURES:
            image, caption = FIGURES[name]
            parts += [f"![{name}]({image})", "", f"*{caption}.*", ""]
    return "\n".join(parts)


def header(path: Path) -> str:
    """Return the comment, or the docstring, that a file begins with."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text.split('"""')[1].strip()
    lines = text.splitlines()
    lines = lines[1:] if lines[0].startswith("#!") else lines
    last = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[:last])

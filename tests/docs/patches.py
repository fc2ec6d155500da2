"""The diff blocks of the documentation: changes of files, found by their lines alone."""

import re
from pathlib import Path


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of one language in a Markdown page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def apply_patch(patch: str, root: Path) -> None:
    """Apply a diff without line numbers: each hunk's old lines must be in the file once."""
    for part in re.split(r"^--- ", patch, flags=re.MULTILINE)[1:]:
        name, *hunks = part.split("@@\n")
        path = root / name.strip()
        text = path.read_text(encoding="utf-8")
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            new = "".join(line[1:] for line in lines if line[0] in " +")
            assert text.count(old) == 1, f"{name.strip()} has {text.count(old)} times:\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

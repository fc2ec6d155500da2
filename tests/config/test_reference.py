"""The reference of the configuration as Markdown."""

import re

from configuration_reference import reference

from epmpi.config import describe


def test_reference_lists_every_key():
    """One row of five cells for each key, under the heading of its section, in order."""
    found, section = [], ""
    for line in reference().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip("[]")
        elif line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            assert len(cells) == 5
            found.append((section, cells[0].strip(" `")))
    assert found == [(item.section, item.key) for item in describe()]

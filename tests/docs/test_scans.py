"""The page on campaigns: its campaign can be run, and it names all that a campaign may say."""

import re
from pathlib import Path

from epmpi.campaign.laws import LAWS
from epmpi.campaign.quantities import QUANTITIES
from epmpi.campaign.scan import KEYS, read_campaign

PAGE = (Path(__file__).parents[2] / "docs" / "scans.md").read_text()


def rows(heading):
    """Return the names in the first column of the table under a heading."""
    text = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_its_campaign_is_one(tmp_path):
    [text] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "first.toml").write_text(text)
    campaign = read_campaign(tmp_path / "first.toml")
    assert len(campaign.points) == 6
    assert campaign.fits


def test_it_names_every_key_quantity_and_law():
    assert sorted(rows("The section [scan]")) == sorted(KEYS)
    assert sorted(rows("Quantities")) == sorted(QUANTITIES)
    assert sorted(rows("Laws")) == sorted(LAWS)

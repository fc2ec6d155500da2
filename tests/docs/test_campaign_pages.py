"""The laws on the pages of campaigns are those that this code fits to the tables beside them."""

import csv
from pathlib import Path

import pytest

from epmpi.campaign.families import as_text
from epmpi.campaign.laws import fit_all
from epmpi.campaign.quantities import Mean
from epmpi.campaign.scan import read_campaign
from epmpi.campaign.tables import as_markdown

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "campaigns").glob("*.md"))


def table_of(name, campaign):
    """Return the table of a campaign from its CSV, to six digits."""
    with open(ROOT / "docs" / "campaigns" / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    table = []
    for point, row in zip(campaign.points, rows, strict=True):
        for key, value in point.changes.items():
            assert row[key] == as_text(value)
        means = {
            quantity: Mean(float(row[quantity]), float(row[f"{quantity}_error"]), 1)
            for quantity in campaign.quantities
        }
        table.append((point.changes, means))
    return table


def laws_of(name):
    """Return the lines on laws that belong on a page."""
    campaign = read_campaign(ROOT / "examples" / "campaigns" / f"{name}.toml")
    table = table_of(name, campaign)
    lines = as_markdown(table, campaign.quantities, fit_all(campaign.fits, table)[0])
    return lines[next(k for k, line in enumerate(lines) if line.startswith("Fit of")) :]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_laws_follow_from_the_table(page):
    text = page.read_text()
    begin, end = text.index("Fit of"), text.index("\n\nThe same as [CSV]")
    assert text[begin:end].splitlines() == laws_of(page.stem)

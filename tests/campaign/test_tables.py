import csv

import numpy as np

from epmpi.campaign.drawing import draw_scan
from epmpi.campaign.laws import fit_all, read_requests
from epmpi.campaign.pages import write_page
from epmpi.campaign.quantities import Mean
from epmpi.campaign.tables import write_tables

TEMPERATURES = (0.07, 0.08, 0.1)
TABLE = [
    (
        {"model.temperature": t, "model.attempt_rate": rate},
        {"activity": Mean(1.7 * rate * np.exp(-0.48 / t), 1e-5, 1), "D": Mean(np.nan, np.nan, 0)},
    )
    for t in TEMPERATURES
    for rate in (1.0, 2.0)
]
FITS = [
    {
        "quantity": "activity",
        "law": "arrhenius",
        "against": "model.temperature",
        "expected": [3.1, 0.48],
    }
]


def test_a_page_holds_rows_fits_and_what_follows(tmp_path):
    fits, _ = fit_all(read_requests(FITS, ["activity"]), TABLE)
    write_tables(tmp_path, TABLE, ["activity", "D"], fits)
    draw_scan(tmp_path / "figure.png", TABLE, ["activity", "D"], fits)
    campaign = tmp_path / "campaign.toml"
    campaign.write_text("# Readings.\n#\n# Two rates.\n# Run time: none.\n[scan]\n")
    write_page(tmp_path / "docs" / "readings.md", campaign, tmp_path)

    text = (tmp_path / "docs" / "readings.md").read_text()
    assert text.startswith("# Readings\n\nTwo rates.\n")
    assert "Run time" not in text
    assert "Nearest to the expected law: attempt_rate 2" in text
    assert "1.097 ... 1.097" in text  # 3.4 / 3.1
    assert "images/readings-figure.png" in text
    assert (tmp_path / "docs" / "images" / "readings-figure.png").stat().st_size
    with open(tmp_path / "docs" / "readings.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(TABLE)
    assert float(rows[0]["activity"]) == float(f"{TABLE[0][1]['activity'].value:.6g}")

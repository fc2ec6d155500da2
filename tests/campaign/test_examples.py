from pathlib import Path

import pytest

from epmpi.campaign.scan import read_campaign

FOLDER = Path(__file__).parents[2] / "examples" / "campaigns"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_campaign_can_be_run(path):
    campaign = read_campaign(path)
    jobs = [job for point in campaign.points for job in point.jobs]
    assert len({job.name for job in jobs}) == len(jobs) > 1
    hours = sum(job.cost for job in jobs) * 35e-9 / 2 / 3600
    assert hours < 1

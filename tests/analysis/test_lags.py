import numpy as np

from epmpi.analysis.lags import LONGEST, sliding_lags
from epmpi.analysis.run_file import Clock


def clock(step):
    step = np.asarray(step)
    return Clock(step, 0.1 * step)


def frames(index, count):
    return np.arange(10**6)[index][:count]


def test_every_frame_is_an_origin_of_a_short_lag():
    lags = sliding_lags(clock(5 * np.arange(100)))
    assert np.isclose(lags[0].time, 0.5)
    assert lags[0].count == 99
    assert lags[-1].time <= LONGEST * 49.5
    assert all(np.diff([lag.time for lag in lags]) > 0)
    for lag in lags:
        origins, ends = frames(lag.origins, lag.count), frames(lag.ends, lag.count)
        assert len(origins) == len(ends) == lag.count
        np.testing.assert_allclose(0.5 * (ends - origins), lag.time)
        assert isinstance(lag.origins, slice)  # views, not copies


def test_uneven_frames_give_exactly_the_pairs_that_exist():
    step = np.unique(np.concatenate([start + 2 ** np.arange(6) for start in range(0, 600, 50)]))
    lags = sliding_lags(clock(step))
    assert len(lags) > 5
    for lag in lags:
        wanted = round(lag.time / 0.1)
        pairs = {(int(a), int(a) + wanted) for a in step if a + wanted in step}
        origins, ends = frames(lag.origins, lag.count), frames(lag.ends, lag.count)
        assert {(int(step[a]), int(step[b])) for a, b in zip(origins, ends, strict=True)} == pairs


def test_origins_can_be_bounded():
    lags = sliding_lags(clock(np.arange(1000)), most_origins=64)
    assert max(lag.count for lag in lags) <= 64
    assert min(lag.count for lag in lags) > 40


def test_too_short_a_trajectory_has_no_lags():
    assert sliding_lags(clock([0])) == []
    assert sliding_lags(clock([0, 1, 2])) == []

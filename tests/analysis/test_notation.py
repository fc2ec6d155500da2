import pytest

from epmpi.analysis.notation import mathtext, significant


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.01484, 0.00024, "0.01484(24)"),
        (1.1438, 0.0054, "1.1438(54)"),
        (0.0002, 8.5e-06, "2.000(85)e-04"),
        (-0.0123, 0.00999, "-0.012(10)"),
        (123.4, 12.0, "123±12"),
        (3.86e-06, 1.5e-04, "0.0(15)e-04"),
        (0.5, float("nan"), "0.5"),
        (0.0, 0.01, "0.000(10)"),
        (2.0, 0.0, "2"),
    ],
)
def test_value_with_its_error(value, error, text):
    assert significant(value, error) == text


def test_mathtext_writes_powers_of_ten():
    assert mathtext(0.0002, 8.5e-06) == r"2.000(85)\times 10^{-4}"
    assert mathtext(1.1438, 0.0054) == "1.1438(54)"

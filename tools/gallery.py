"""Run the examples as they stand, and put the figures that they leave into the documentation.

python tools/gallery.py [WORD ...]      only groups with such a word

All of them took 6 min 5 s of processor time on a 2-core x86-64 machine (AMD EPYC, AVX-512),
with other work beside them.  The runs go to build/gallery.  A figure is made smaller, for a page:
fewer pixels and colours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
WORKPLACE = ROOT / "build" / "gallery"
IMAGES = Path("images") / "examples"  # below docs/
WIDEST = 1100  # pixels
COLOURS = 256


@dataclass(frozen=True)
class Group:
    """Commands, and what is shown of their results.

    Parameters
    ----------
    commands : tuple of str
        For a shell in a folder that has examples/, one after the other.
    figures : dict of str to (str, str)
        By example: the file that is left, and its caption.
    """

    commands: tuple[str, ...]
    figures: dict[str, tuple[str, str]]


GROUPS = (
    Group(
        (
            "python examples/07_live_plot.py runs/quickstart & epmpi run examples/quickstart.toml",
            "epmpi analyse runs/quickstart",
            "epmpi export runs/quickstart",
            "python examples/08_reading_results.py runs/quickstart",
        ),
        {
            "quickstart.toml": (
                "runs/quickstart/structure_factor.png",
                "`structure_factor.png` of `epmpi analyse`: S(q,t) with its fits",
            ),
            "07_live_plot.py": (
                "live.png",
                "The last look at a run of `quickstart.toml`: the warm-up in grey",
            ),
            "08_reading_results.py": (
                "reading.png",
                "Read by h5py, xarray and MDAnalysis from a run of `quickstart.toml`",
            ),
        },
    ),
    Group(
        ("python examples/01_quickstart.py",),
        {
            "01_quickstart.py": (
                "runs/01_quickstart/trajectories.png",
                "`trajectories.png`: tracers stay in their cages for a long time",
            )
        },
    ),
    Group(
        (
            "epmpi run examples/02_low_temperature_caging.toml",
            "epmpi analyse runs/02_low_temperature_caging",
        ),
        {
            "02_low_temperature_caging.toml": (
                "runs/02_low_temperature_caging/diffusion.png",
                "`diffusion.png`: D(t), and the exponent of the mean square displacement",
            )
        },
    ),
    Group(
        ("python examples/03_random_against_thermal.py",),
        {
            "03_random_against_thermal.py": (
                "runs/03_random_against_thermal/diffusion.png",
                "D(t) of both models: only the thermal one is subdiffusive",
            )
        },
    ),
    Group(
        ("epmpi scan examples/04_sheared_flow_curve.toml",),
        {
            "04_sheared_flow_curve.toml": (
                "scans/04_sheared_flow_curve/figure.png",
                "Flow curve at two temperatures, with activity and stress variance",
            )
        },
    ),
    Group(
        ("epmpi scan examples/05_finite_size_scan.toml",),
        {
            "05_finite_size_scan.toml": (
                "scans/05_finite_size_scan/figure.png",
                "The activity is given; velocity variance and diffusion grow with ln L",
            )
        },
    ),
    Group(
        ("sh examples/06_resume_and_extend.sh",),
        {
            "06_resume_and_extend.sh": (
                "runs/06_resume_and_extend/series.png",
                "`series.png` of the run that was stopped, resumed, and made longer from t = 200 "
                "to 300: nothing is to be seen of it",
            )
        },
    ),
    Group(
        ("epmpi run examples/09_exact_clock.toml", "epmpi analyse runs/09_exact_clock"),
        {
            "09_exact_clock.toml": (
                "runs/09_exact_clock/diffusion.png",
                "`diffusion.png`: D(t) over eight decades of time",
            )
        },
    ),
    Group(
        ("epmpi scan examples/campaigns/site_drawn.toml",),
        {
            "campaigns/site_drawn.toml": (
                "scans/site_drawn/transients.png",
                "`transients.png` of `epmpi scan`: the two ways to draw the start stay apart",
            )
        },
    ),
)


def image_of(example: str) -> Path:
    """Return where the figure of an example lies, from docs/."""
    return IMAGES / f"{Path(example).stem}.png"


def make(group: Group) -> None:
    """Carry out the commands of a group from the start, and put its figures in place."""
    WORKPLACE.mkdir(parents=True, exist_ok=True)
    if not (examples := WORKPLACE / "examples").exists():
        examples.symlink_to(ROOT / "examples")
    subprocess.run("rm -rf runs scans", shell=True, cwd=WORKPLACE, check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in group.commands:
        print(f"$ {command}", flush=True)
        subprocess.run(
            f"{command} && wait",
            shell=True,
            cwd=WORKPLACE,
            check=True,
            env=os.environ | {"PATH": path, "MPLBACKEND": "agg"},
        )
    for example, (figure, _) in group.figures.items():
        shrink(WORKPLACE / figure, ROOT / "docs" / image_of(example))


def shrink(figure: Path, image: Path) -> None:
    """Write a figure with fewer pixels and colours."""
    image.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(figure) as given:
        drawn = given.convert("RGB")
    if drawn.width > WIDEST:
        size = WIDEST, round(drawn.height * WIDEST / drawn.width)
        drawn = drawn.resize(size, Image.Resampling.LANCZOS)
    drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(image, optimize=True)
    print(f"{image.relative_to(ROOT)}: {image.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    """Make the groups of which a command has one of the words; without any, all."""
    words = sys.argv[1:] or [""]
    for group in GROUPS:
        if any(word in command for word in words for command in group.commands):
            make(group)


if __name__ == "__main__":
    main()

"""Commands of epmpi with a GPU, on a stand-in for a card; run by `tools/ci_gpu.sh`.

Nothing is computed there (see `stand_in_card`): what is compared is how far runs come, and what is
asked of the card meanwhile.
"""

import json
import os
import re
from pathlib import Path

import h5py
import launching
import pytest
import stand_in_card as card
from stand_in_card.commands import ENDING

from epmpi.devices.gpu.graph_capture import IN_FLIGHT
from epmpi.spectral.transport import CUDA_AWARE, NCCL, NONE, STAGED

RUN = """
[lattice]
shape = [24, 20]
[model]
temperature = 0.15
[initial]
state = "gaussian"
stress_deviation = 0.3
annealing = [[0.3, 1.0], [0.2, 1.0]]
[tracers]
number = 40
every = 4
[time]
warmup = 2.0
duration = 10.0
[output]
series_every = 1.0
trajectory_every = 2.0
fields_every = 5.0
waiting_times_every = 5.0
[run]
device = "gpu"
"""
EVERY = 4  # steps between two moves of tracers
WARM = 40  # steps before the measurement: the temperature changes after 10, and after 20
SINGLE = ["run.precision=single", "tracers.interpolation=stream", "tracers.every=1"]
RANDOM = [
    "model.activation=random", "model.activity=0.3", "tracers.number=0", "initial.annealing=[]",
    "output.trajectory_every=0",
]  # fmt: skip
TRANSPORTS = {1: [NONE], 2: [NCCL, STAGED, CUDA_AWARE], 3: [NCCL, STAGED, CUDA_AWARE]}
WAYS = [(ranks, name) for ranks, names in TRANSPORTS.items() for name in names]


def settings(*overrides):
    """Return the words of a command line that set keys."""
    return [word for override in overrides for word in ("--set", override)]


def commands_of(ranks, where):
    """Return the commands by name, with runs in a folder.

    The ensemble has 3 replicas on 1 or 2 ranks, 2 on 3 ranks: a rank takes two or three in step, or
    two ranks share one.
    """
    replicas = 2 if ranks == 3 else 3
    return {
        "info": ["info"],
        "dry run": ["run", "run.toml", "--dry-run"],
        "run": ["run", "run.toml", "-o", f"{where}/annealed"],
        "resume": ["resume", f"{where}/annealed", *settings("time.duration=20.0")],
        "single": ["run", "run.toml", "-o", f"{where}/single", *settings(*SINGLE)],
        "random": ["run", "run.toml", "-o", f"{where}/random", *settings(*RANDOM)],
        "ensemble": [
            "run", "run.toml", "-o", f"{where}/many", *settings(f"run.replicas={replicas}"),
        ],
        "more of it": ["resume", f"{where}/many", *settings("run.replicas=4")],
    }  # fmt: skip


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Return a function that gives the folder of the runs, their errors, and words and counts."""
    known = {}

    def of(ranks, transport):
        if ranks not in known:
            known[ranks] = carry_out(ranks, tmp_path_factory.mktemp("runs"))
        folder, errors, found = known[ranks]
        return folder / transport.replace(" ", "-"), errors, found[transport]

    return of


def carry_out(ranks, folder):
    """Let the same processes carry out all commands, in each way that arrays travel between them.

    Returns
    -------
    folder, errors, {transport: {command: (words, counts)}}
    """
    (folder / "run.toml").write_text(RUN)
    commands = [
        (transport, name, arguments)
        for transport in TRANSPORTS[ranks]
        for name, arguments in commands_of(ranks, transport.replace(" ", "-")).items()
    ]
    given = json.dumps([(transport, arguments) for transport, _, arguments in commands])
    paths = [str(Path(card.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = launching.run(
        launching.python("-m", "stand_in_card.commands", given, ranks=ranks),
        timeout=500,
        env=launching.environment(PYTHONPATH=os.pathsep.join(filter(None, paths))),
        cwd=folder,
    )
    parts = re.split(rf"\n{ENDING}(.*)\n", done.stdout)
    assert len(parts) == 2 * len(commands) + 1, done.stderr
    found = {transport: {} for transport in TRANSPORTS[ranks]}
    counted = zip(parts[:-1:2], map(json.loads, parts[1::2]), strict=True)
    for (transport, name, _), of_command in zip(commands, counted, strict=True):
        found[transport][name] = of_command
    return folder, done.stderr, found


def graph_launches(steps, every, transport, temperatures=lambda step: 0):
    """Return how many graphs steps take: none where a step is the first of its kind.

    Where the host exchanges, a step is a graph before, between and after its exchanges, of which
    there are two more where tracers move by the strain since their last move.  With NCCL a move
    ends a graph: the host is sent a list of those that leave.
    """
    seen, total = set(), 0
    for step in steps:
        moves = every > 0 and (step + 1) % every == 0
        kind = temperatures(step), moves
        exchanges = 0 if transport in (NONE, NCCL) else 4 if moves and every > 1 else 2
        ends = transport == NCCL and moves
        total += 1 + exchanges + ends if kind in seen else 0
        seen.add(kind)
    return total


@pytest.mark.parametrize(("ranks", "transport"), WAYS)
def test_commands_run_to_their_end(counted, ranks, transport):
    """Nothing that they ask for is refused, or goes to another queue than the rest."""
    folder, errors, found = counted(ranks, transport)
    for name, (_, asked) in found.items():
        assert (asked["code"], asked["violations"], asked["astray"]) == (0, 0, 0), (name, errors)
    assert re.search(rf"^exchange +{re.escape(transport)}$", found["info"][0], re.MULTILINE)
    assert "timed here on the first ones" in found["dry run"][0]
    for name in ("run", "resume", "single", "random", "ensemble", "more of it"):
        assert "results in" in found[name][0]
    lasts = {"annealed": 200, "single": 100, "random": 100, "many/replica-003": 100}
    for run, last in lasts.items():
        with h5py.File(folder / run / "run.h5") as file:
            assert file["observables/activity/step"][-1] == last


@pytest.mark.parametrize(("ranks", "transport"), WAYS)
def test_cards_of_one_kind_have_the_same_bits(counted, ranks, transport):
    """Several are no reason to say that they may differ."""
    assert "the last bits" not in counted(ranks, transport)[1]


@pytest.mark.parametrize(("ranks", "transport"), WAYS)
def test_runs_are_replayed(counted, ranks, transport):
    """But for the first step of a kind: at each temperature, with a move of tracers or without."""
    of_commands = counted(ranks, transport)[2].items()
    found = {name: asked["graph_launches"] for name, (_, asked) in of_commands}

    def temperature(step):
        return 0.3 if step < 10 else 0.2 if step < 20 else 0.15

    whole, last = range(WARM + 100), range(WARM + 100, WARM + 200)
    assert found["run"] == graph_launches(whole, EVERY, transport, temperature)
    assert found["resume"] == graph_launches(last, EVERY, transport)
    assert found["single"] == graph_launches(whole, 1, transport, temperature)
    assert found["random"] == graph_launches(range(20 + 100), 0, transport)
    # A group of one rank takes its replicas as a batch; on 3 ranks two share the other replica.
    ways = {1: [NONE], 2: [NONE], 3: [NONE, transport]}[ranks]
    most = max(graph_launches(whole, EVERY, way, temperature) for way in ways)
    assert found["ensemble"] == most


@pytest.mark.parametrize(("ranks", "transport"), WAYS)
def test_the_host_is_a_few_steps_ahead_at_most(counted, ranks, transport):
    for name, (_, asked) in counted(ranks, transport)[2].items():
        assert asked["most_in_flight"] <= 3 * IN_FLIGHT, name

"""Commands of epmpi in turn on the stand-in for a card, and what each asks of it.

    python -m stand_in_card.commands JSON      (a list of pairs: a transport, arguments)

Cards, or the MPI library, are made to look as the transport of several ranks needs them.  After
each command a line tells its exit code and what was asked of a card, of the rank with most.
"""

import json
import sys

import numpy as np

import stand_in_card as card
from epmpi.cli import main
from epmpi.devices import CPU
from epmpi.devices.gpu import GPU, cards
from epmpi.parallel import Communicator
from epmpi.spectral import transport

ENDING = "--- asked of the card: "


def pretend(name, world):
    """Let arrays travel in a way from now on."""
    number = world.rank if name == transport.NCCL else 0
    cards.identity_of = lambda known: f"GPU-{number}"
    transport.cuda_aware = lambda: name == transport.CUDA_AWARE


def answer_on_host():
    """Let the host make the draws, and sums of zero, that the card is asked for.

    What lies there may be any bits, also those of huge numbers and of none.
    """
    draw, add_up = GPU.draw_uniforms, GPU.row_sums

    def drawn(device, *numbers):
        draw(device, *numbers)
        return CPU().draw_uniforms(*numbers)

    GPU.draw_uniforms = drawn
    GPU.row_sums = lambda device, *fields: np.zeros_like(add_up(device, *fields))


def carry_out(arguments, world):
    """Carry out a command; return on the root its exit code and what the ranks ask for at most."""
    codes = []
    found = card.asked(lambda: codes.append(main(arguments)))
    everyone = world.gather({"code": codes[0], **found})
    return everyone and {name: max(each[name] for each in everyone) for name in everyone[0]}


if __name__ == "__main__":
    world = Communicator.world()
    answer_on_host()
    for name, arguments in json.loads(sys.argv[1]):
        pretend(name, world)
        found = carry_out(arguments, world)
        if world.is_root:
            print(f"\n{ENDING}{json.dumps(found)}", flush=True)

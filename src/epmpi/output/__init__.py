"""The files of a run: run.h5 (H5MD 1.1) and checkpoint.h5, readable at any instant."""

from epmpi.output.element import event_bytes
from epmpi.output.export import export
from epmpi.output.failures import OutputError, on_root
from epmpi.output.final_fields import read_final_fields
from epmpi.output.leftovers import configuration_to_begin, may_begin, why_not
from epmpi.output.opening import Checkpoint, open_run
from epmpi.output.provenance import collect
from epmpi.output.store import RunStore

__all__ = [
    "Checkpoint",
    "OutputError",
    "RunStore",
    "collect",
    "configuration_to_begin",
    "event_bytes",
    "export",
    "may_begin",
    "on_root",
    "open_run",
    "read_final_fields",
    "why_not",
]

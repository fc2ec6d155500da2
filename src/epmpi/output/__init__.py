"""What a run leaves on disk: run.h5 (H5MD 1.1), safe at any instant, and where it comes from."""

from epmpi.output.failures import OutputError
from epmpi.output.final_fields import read_final_fields
from epmpi.output.provenance import collect
from epmpi.output.store import RunStore, open_run

__all__ = ["OutputError", "RunStore", "collect", "open_run", "read_final_fields"]

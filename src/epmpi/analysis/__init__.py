"""Analysis of finished runs, from their run file alone.

`analyse(RUN)` measures, writes analysis.h5 and the figures, and returns an `Analysis`.
"""

from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.events import Events
from epmpi.analysis.report import analyse
from epmpi.analysis.results import Analysis, measure
from epmpi.analysis.run_file import RunFile

__all__ = ["Analysis", "AnalysisError", "Events", "RunFile", "analyse", "measure"]

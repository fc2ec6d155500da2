"""Analysis of finished runs, from their run file alone.

`analyse(RUN)` measures, writes analysis.h5 and the figures, and returns an `Analysis`.
"""

from epmpi.analysis.errors import AnalysisError
from epmpi.analysis.events import Events
from epmpi.analysis.reading import RunFile
from epmpi.analysis.report import analyse
from epmpi.analysis.results import Analysis, measure

__all__ = ["Analysis", "AnalysisError", "Events", "RunFile", "analyse", "measure"]

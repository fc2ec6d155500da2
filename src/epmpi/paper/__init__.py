"""The paper's figures from runs of this package, and its printed values beside measured ones.

E. E. Ferrero, K. Martens and J.-L. Barrat, PRL 113, 248301 (2014).
"""

from epmpi.paper.reproduction import FIGURES, reproduce

__all__ = ["FIGURES", "reproduce"]

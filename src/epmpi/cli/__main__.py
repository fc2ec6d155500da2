"""python -m epmpi.cli ARGUMENT ...: the command line without its script."""

import sys

from epmpi.cli import main

if __name__ == "__main__":
    sys.exit(main())

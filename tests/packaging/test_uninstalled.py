"""A source tree on the path, of a package that is not installed."""

PROGRAM = """
from importlib import metadata

known = metadata.version


def version(name):
    if name == "epmpi":
        raise metadata.PackageNotFoundError(name)
    return known(name)


metadata.version = version
import epmpi
print(epmpi.__version__, epmpi.Simulation.__name__)
"""


def test_epmpi_is_imported_without_being_installed(launch):
    done = launch("-c", PROGRAM)
    assert done.stdout.split() == ["0+uninstalled", "Simulation"], done.stderr

"""Compiled copies of the plain functions of `epmpi.physics`, for any compiler."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace


def compile_module(
    module: ModuleType, compiler: Callable, *below: SimpleNamespace, **others: Callable
) -> SimpleNamespace:
    """Compile every function of a module of plain scalar functions.

    The copies call each other's compiled form; the module itself is left as it is.

    Parameters
    ----------
    module : module
    compiler : function of a function
        Returns its compiled form.
    *below : compiled modules
        From which the module imports functions.
    **others : compiled functions
        In place of those that the module has under these names.

    Returns
    -------
    SimpleNamespace
        The compiled functions and the constants, under their names.
    """
    names = dict(vars(module))
    plain = {name: value for name, value in names.items() if isinstance(value, FunctionType)}
    for compiled in below:
        names |= {name: vars(compiled)[name] for name in plain.keys() & vars(compiled).keys()}
    names |= others
    for name, function in plain.items():
        if function.__module__ == module.__name__:
            names[name] = compiler(FunctionType(function.__code__, names, name))
    return SimpleNamespace(**names)

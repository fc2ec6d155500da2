"""Arithmetic of the compiled loops on this processor, which determines the last bits of a run.

The x86-64 processors that were compared differ only in whether ``a b + c`` is rounded once or
twice: the bits are the same with AVX2 and AVX-512 and fused multiply-adds, and others without fused
ones (or with NUMBA_CPU_NAME=x86-64-v2).
"""

from __future__ import annotations

import platform
from functools import cache

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

MULTIPLY_ADD = """
declare double @llvm.fmuladd.f64(double, double, double)
define double @multiply_add(double %a, double %b, double %c) {
  %sum = call double @llvm.fmuladd.f64(double %a, double %b, double %c)
  ret double %sum
}
"""


def processor() -> tuple[str, str]:
    """Return the name and the features of the processor that loops are compiled for."""
    codegen = cpu_target.target_context.codegen()
    return codegen._get_host_cpu_name(), codegen._get_host_cpu_features()


def has(features: str) -> str:
    """Return the features that a list such as "+avx,-fma" has, separated by blanks."""
    return " ".join(word[1:] for word in features.split(",") if word.startswith("+"))


@cache
def arithmetic() -> str:
    """Return the kind of arithmetic, which the last bits depend on, in words."""
    name, features = processor()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=name, features=features)
    code = machine.emit_assembly(llvm.parse_assembly(MULTIPLY_ADD))
    fused = any("fmadd" in line for line in code.splitlines())
    return f"{platform.machine()}, {'fused' if fused else 'separate'} multiply-adds"

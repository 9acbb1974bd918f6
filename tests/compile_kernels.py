"""Compile each kernel that the network of section 5 launches for a GPU that need not be here: CAPABILITY SHARED LINES.

Prints the shared memory of each, in bytes; fails where one does not compile or takes more than SHARED.
"""

import sys

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from graves_nb.alphabet import one_hot
from graves_nb.kernels import cuda
from graves_nb.models import HandwritingSynthesizer
from graves_nb.sequence import labels

OPTIONS = ("num_warps", "num_stages", "launch_cooperative_grid")
TYPES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.int32: "i32", int: "i32", float: "fp32"}


def launches(plan, B: int, kind) -> dict:
    """Return what each launch of one training step is given, one for each kernel and set of constants."""
    found = {}

    def record(kernel, *args, grid, warmup, **given):
        constants = {p.name for p in kernel.params if p.is_constexpr}
        key = kernel.fn.__name__, tuple((name, given[name]) for name in sorted(constants))
        found.setdefault(key, (kernel, constants, given))

    JITFunction.run = record
    model, x = HandwritingSynthesizer(), torch.zeros(20, B, 3)
    model.operands = kind
    h, _ = cuda.run_model(model, x, labels(one_hot(["some text"] * B)), model.initial_state(B), plan)
    h.sum().backward()
    return found


def compiled(kernel, constants: set, given: dict, capability: int):
    """Compile one launch."""
    names = kernel.arg_names
    signature = {name: "constexpr" if name in constants else type_of(given[name]) for name in names}
    values = {(names.index(name),): given[name] for name in constants}
    aligned = {(names.index(p.name),): [["tt.divisibility", 16]] for p in kernel.params
               if signature[p.name][0] == "*" and not p.do_not_specialize_on_alignment}
    source = ASTSource(fn=kernel, signature=signature, constexprs=values, attrs=aligned)
    options = {name: given[name] for name in OPTIONS if name in given}
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)


def type_of(value) -> str:
    """Name the type of an argument as the compiler does."""
    return "*" + TYPES[value.dtype] if isinstance(value, torch.Tensor) else TYPES[type(value)]


if __name__ == "__main__":
    capability, shared, B = map(int, sys.argv[1:])
    plan = cuda.make_plan(B, 400, 76, 3, torch.bfloat16, 132, shared)
    for (name, _), launch in launches(plan, B, torch.bfloat16).items():
        size = compiled(*launch, capability).metadata.shared
        print(name, size)
        assert size <= shared, f"{name} takes {size} bytes of shared memory, and there are {shared}"

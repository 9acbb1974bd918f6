"""The steps of one layer as CUDA graphs, for GPUs that are too old for `cuda.py` (names: `sequence.py`).

A graph replays some steps with one launch. There is one for each length in LENGTHS and each shape of
layer; any T is a sum of lengths, so nothing is computed that is not asked for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from . import steps

LENGTHS, ROOM = (64, 8, 1), 64
GIVEN = {"forward": ("a",), "backward": ("gates", "c", "h", "dh", "kappa", "w", "shape", "dw")}  # by step
MADE = {"forward": ("gates", "h", "c", "kappa", "w", "shape"), "backward": ("dz", "dp")}
STATES = ("h", "c", "kappa", "w")  # these have T + 1 rows
graphs = {}


def forward(layer: dict, limit: float | None) -> None:
    """Fill `gates`, `h` and `c`; with a window also `kappa`, `w` and `shape` (alpha, beta, step of kappa)."""
    layer = with_room(layer)
    for s, n in pieces(len(layer["a"])):
        graph_of("forward", layer, n, limit).run(layer, s)


def backward(layer: dict, limit: float | None) -> Tensor:
    """Fill `dz`, with a window also `dp`, from `dh` and `dw`; return the sums of bias and peepholes (7, H)."""
    carry, layer = None, with_room(layer)
    for s, n in reversed(pieces(len(layer["gates"]))):
        carry = graph_of("backward", layer, n, limit).run(layer, s, carry)
    return steps.small_sums(layer["dz"], layer["c"])


def pieces(T: int) -> list[tuple[int, int]]:
    """Cut T steps into (first step, length)."""
    found, s = [], 0
    for length in LENGTHS:
        while T - s >= length:
            found.append((s, length))
            s += length
    return found


def with_room(layer: dict) -> dict:
    """Make texts longer with characters that say nothing, or each length of a text would have graphs of its own."""
    if "codes" not in layer:
        return layer
    return layer | dict(codes=F.pad(layer["codes"], (0, -layer["codes"].shape[1] % ROOM), value=-1))


def graph_of(way: str, layer: dict, n: int, limit) -> "Graph":
    """Return the graph for these shapes: recorded at its first use."""
    shapes = tuple((key, tuple(array.shape[1:]), array.dtype, array.device) for key, array in sorted(layer.items()))
    if (way, n, limit, shapes) not in graphs:
        graphs[way, n, limit, shapes] = Graph(way, layer, n, limit)
    return graphs[way, n, limit, shapes]


class Graph:
    """One way through n steps, over arrays of its own."""

    def __init__(self, way: str, layer: dict, n: int, limit):
        self.way, self.n = way, n
        timed = {*GIVEN[way], *MADE[way]}
        self.layer = {key: torch.zeros_like(array[: n + (key in STATES)] if key in timed else array).contiguous()
                      for key, array in layer.items()}
        if way == "backward":
            self.carry = steps.first_carry(self.layer)
        self.replay = recorded(lambda: self.steps(limit), layer["h"].is_cuda)

    def steps(self, limit) -> None:
        """What is recorded."""
        if self.way == "forward":
            steps.forward(self.layer, limit)
        else:
            for mine, new in zip(self.carry, steps.backward_steps(self.layer, limit, self.carry)):
                mine.copy_(new)

    def run(self, layer: dict, s: int, carry=None):
        """Do the steps from s on; on the way back, from and to the carried derivatives."""
        for key, mine in self.layer.items():
            if key in GIVEN[self.way]:
                mine.copy_(layer[key][s : s + len(mine)])
            elif key in STATES and self.way == "forward":
                mine[0].copy_(layer[key][s])
            elif key not in MADE[self.way]:
                mine.copy_(layer[key])
        if self.way == "backward":
            for mine, before in zip(self.carry, carry or [torch.zeros_like(c) for c in self.carry]):
                mine.copy_(before)
        self.replay()
        for key in MADE[self.way]:
            if key in self.layer:
                first = key in STATES
                layer[key][s + first : s + len(self.layer[key])] = self.layer[key][first:]
        return [c.clone() for c in self.carry] if self.way == "backward" else None


def recorded(job, on_gpu: bool):
    """Record a job as a CUDA graph, after a run to warm up; elsewhere the job is its own replay."""
    if not on_gpu:
        return job
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        job()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        job()
    return graph.replay

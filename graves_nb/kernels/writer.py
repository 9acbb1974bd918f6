"""Lines written by `writer.cpp`: the points of `sampling.Writer`, sooner."""

import ctypes
import weakref

import torch
import torch.nn.functional as F
from torch import Tensor

from ..lstm import PeepholeLSTMCell
from ..window import SoftWindow
from . import cpu

SOURCE = cpu.SOURCE.with_name("writer.cpp")
MOST_LAYERS = 8
SIZES = ("B", "H", "V", "K", "U", "M", "layers", "limit", "threads")
EACH_LAYER = ("weights", "biases", "peepholes")
ARRAYS = ("readout", "readout_bias", "weight_p", "bias_p", "codes", "lengths", "chance", "h", "c", "kappa", "w", "x",
          "points", "ends")
packed = weakref.WeakKeyDictionary()


class Lines(ctypes.Structure):
    """The struct of the same name in writer.cpp."""

    _fields_ = ([(name, ctypes.c_int32) for name in SIZES] + [("bias", ctypes.c_float)]
                + [(name, ctypes.c_void_p * MOST_LAYERS) for name in EACH_LAYER]
                + [(name, ctypes.c_void_p) for name in ARRAYS])


def quick(writer: type, model) -> type:
    """Return `writer`, or a kind of it that writes natively where that gives the same."""
    own = type(model.window) is SoftWindow and all(type(cell) is PeepholeLSTMCell for cell in model.layers)
    weight = model.output.weight
    native = own and weight.device.type == "cpu" and weight.dtype == torch.float32 and len(model.layers) <= MOST_LAYERS
    return type("QuickWriter", (Quick, writer), {}) if native and cpu.compiled(SOURCE) else writer


class Quick:
    """What a quick writer does in its own way."""

    def write(self, bias, chance: Tensor, keep_phi=False) -> list:
        """Draw point after point until every line has met the stop rule or its length limit."""
        if keep_phi:
            return super().write(bias, chance, keep_phi)
        (B, limit), state = chance.shape[:2], self.state
        codes = torch.where(self.code.sum(-1) > 0, self.code.argmax(-1), -1).to(torch.int32)
        h, c = (torch.stack(states) for states in zip(*state.layers))
        arrays = dict(codes=codes, lengths=self.lengths.to(torch.int32), chance=chance, h=h, c=c,
                      kappa=state.window.kappa.clone(), w=state.window.w.clone(), x=self.x.clone(),
                      points=self.x.new_zeros(B, limit, 3), ends=torch.full((B,), limit + 1, dtype=torch.int32))
        write_lines(self.model, bias, arrays)
        return self.collect(list(arrays["points"].unbind(1)), [], arrays["ends"], limit)


def write_lines(model, bias: float, arrays: dict) -> None:
    """Fill `points` and `ends`, and move the state on."""
    _, B, H = arrays["h"].shape
    sizes = dict(B=B, H=H, V=arrays["w"].shape[1], K=arrays["kappa"].shape[1], U=arrays["codes"].shape[1],
                 M=model.config["M"], layers=len(model.layers), limit=arrays["chance"].shape[1],
                 threads=torch.get_num_threads())
    each, shared = weights_of(model)
    arrays = {name: array.detach().contiguous() for name, array in arrays.items()} | shared
    lines = Lines(**sizes, bias=bias, **{name: arrays[name].data_ptr() for name in ARRAYS})
    for name in EACH_LAYER:
        setattr(lines, name, (ctypes.c_void_p * MOST_LAYERS)(*(array.data_ptr() for array in each[name])))
    cpu.compiled(SOURCE).write_lines(ctypes.byref(lines))


@torch.no_grad()
def weights_of(model) -> tuple[dict, dict]:
    """Return a model's weights in reading order; they are laid out anew when they have changed."""
    now, (before, *_) = list(model.parameters()), packed.get(model, [()])
    if len(before) != len(now) or not all(map(torch.equal, before, now)):  # `w.data` changes without a trace
        output, window = model.output, model.window.linear
        each = dict(weights=[in_blocks(torch.cat([cell.weight_x, cell.weight_h], 1), 4) for cell in model.layers],
                    biases=[cell.bias.clone() for cell in model.layers],
                    peepholes=[cell.peephole.clone() for cell in model.layers])
        rows = -len(output.weight) % 64
        wide = F.pad(output.weight, (0, 0, 0, rows)).unflatten(0, (-1, 4, 16)).permute(0, 3, 1, 2).contiguous()
        shared = dict(readout=wide, readout_bias=F.pad(output.bias, (0, rows)), weight_p=window.weight.clone(),
                      bias_p=window.bias.clone())
        packed[model] = [w.detach().clone() for w in now], each, shared
    return packed[model][1:]


def in_blocks(weight: Tensor, gates: int) -> Tensor:
    """Turn (gates H, inputs) into (blocks, inputs, gates, 16)."""
    rows = weight.unflatten(0, (gates, -1))
    rows = F.pad(rows, (0, 0, 0, -rows.shape[1] % 16)).unflatten(1, (-1, 16))
    return rows.permute(1, 3, 0, 2).contiguous()

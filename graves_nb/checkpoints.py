"""Files of weights: safetensors with a header that says what they are. Never pickle."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .alphabet import ALPHABET
from .embedding import StyleReader
from .models import HandwritingPredictor, HandwritingSynthesizer, TextPredictor
from .quantise import dequantise
from .recogniser import Recogniser
from .tied import TiedTextPredictor

NETWORKS = {network.__name__: network for network in (
    TextPredictor, TiedTextPredictor, HandwritingPredictor, HandwritingSynthesizer, Recogniser, StyleReader)}
WIDTH = "std."  # before the name of a tensor of weights: that of their widths


class WeightsError(ValueError):
    """The file is not a set of weights that this package can use; the message says what to do."""


def write_tensors(path: str | Path, tensors: dict, info: dict) -> None:
    """Write tensors and a JSON-able `info` whole or not at all: a killed run leaves the old file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file({k: v.contiguous() for k, v in tensors.items()}, part, {"graves_nb": json.dumps(info)})
    os.replace(part, path)


def read_tensors(path: str | Path) -> tuple[dict, dict]:
    """Read what `write_tensors` wrote: the tensors and `info`."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}. Train it, or name one under data/weights/.")
    try:
        with safe_open(path, framework="pt") as file:
            info = json.loads((file.metadata() or {})["graves_nb"])
            return {name: file.get_tensor(name) for name in file.keys()}, info
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path} is damaged or not ours ({error}). Fetch or train it again.") from error


def save_weights(path, model, *, dtype=torch.float16, stds=(), **info) -> None:
    """Save a model with its sizes, its alphabet and whatever else `info` says of it.

    `stds` are the widths that adaptive weight noise has learnt, one tensor for each of the model's.
    """
    tensors = {name: value.to(dtype) for name, value in model.state_dict().items()}
    tensors |= {WIDTH + name: s.to(dtype) for (name, _), s in zip(model.named_parameters(), stds)}
    info = dict(model=type(model).__name__, config=model.config, alphabet=ALPHABET, **info)
    write_tensors(path, tensors, info)


def load_weights(path) -> tuple[torch.nn.Module, dict]:
    """Load a model in float32, ready to write, and the header that came with it."""
    tensors, info = read_tensors(path)
    if "model" not in info:
        raise WeightsError(f"{path} is a checkpoint to go on from. Take the weights.safetensors beside it.")
    if info.get("alphabet") != ALPHABET and "vocabulary" not in info:
        raise WeightsError(f"{path} was trained on another alphabet. Train it again with this version.")
    try:
        model = NETWORKS[info["model"]](**info["config"])
        model.load_state_dict(dequantise({k: v for k, v in tensors.items() if not k.startswith(WIDTH)}))
        if "vocabulary" in info and len(info["vocabulary"]["symbols"]) != model.config["V"]:
            raise ValueError(f"it names {len(info['vocabulary']['symbols'])} symbols for {model.config['V']} outputs")
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"The weights in {path} do not fit the network they name: {error}") from error
    if not all(torch.isfinite(value).all() for value in model.state_dict().values()):
        raise WeightsError(f"{path} holds weights that are not finite. Fetch or train it again.")
    return model.eval().requires_grad_(False), info


def load_widths(path, model) -> list[torch.Tensor]:
    """Load the widths that adaptive weight noise has learnt for a model's weights; none where there are none."""
    tensors, _ = read_tensors(path)
    names = [WIDTH + name for name, _ in model.named_parameters()]
    return [tensors[name].float() for name in names] if names[0] in tensors else []

"""Text as symbols: their labels, and new text that a network writes, symbol by symbol (section 3)."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoints import load_weights
from .sampling import draws

KINDS = ("characters", "words", "bytes")


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a network, and so their labels: the place of each in `symbols`.

    `kind` says what a symbol is: one of "characters"; one of "words", where a line's end is a word too;
    or one of "bytes", each told as the character of that number.
    """

    kind: str
    symbols: tuple[str, ...]

    def split(self, text: str) -> list[str]:
        """Cut a text into symbols."""
        if self.kind == "bytes":
            return list(text.encode().decode("latin-1"))
        return re.findall(r"\n|\S+", text) if self.kind == "words" else list(text)

    def encode(self, text: str) -> Tensor:
        """Return the labels (N,) of a text. An unknown word is `<unk>`; any other unknown symbol is an error."""
        index = {symbol: label for label, symbol in enumerate(self.symbols)}
        unknown = index.get("<unk>") if self.kind == "words" else None
        labels = [index.get(symbol, unknown) for symbol in self.split(text)]
        if None in labels:
            strange = sorted({s for s in self.split(text) if s not in index})
            what = {"bytes": "byte", "words": "word"}.get(self.kind, "character")
            raise ValueError(f"The network never met the {what} {', '.join(map(repr, strange))}. Leave it out.")
        return torch.tensor(labels, dtype=torch.long)

    def decode(self, labels) -> str:
        """Return the text that labels stand for."""
        symbols = [self.symbols[label] for label in torch.as_tensor(labels).tolist()]
        if self.kind == "bytes":
            return "".join(symbols).encode("latin-1").decode("utf-8", "replace")
        return " ".join(symbols).replace(" \n", "\n").replace("\n ", "\n") if self.kind == "words" else "".join(symbols)


def choose(logits: Tensor, temperature: float, chance: Tensor) -> Tensor:
    """Draw labels (B,) from logits (B, V): `chance` (B,) are uniform numbers.

    A temperature below 1 favours the likely symbols, one above 1 the others.
    """
    p = torch.softmax(logits / temperature, -1)  # eq. (12)
    return (p.cumsum(-1) <= chance.unsqueeze(-1)).sum(-1).clamp(max=p.shape[-1] - 1)


@torch.no_grad()
def sample_text(model, vocabulary: Vocabulary, length: int, *, temperature=1.0, prime="", seeds=(0,),
                restart: int | None = None) -> list[str]:
    """Let the network read `prime` and go on for `length` symbols; one text for each of `seeds`.

    A network that learnt each sentence by itself starts anew after the label `restart`.
    """
    if not (isinstance(temperature, (int, float)) and 0 < temperature < float("inf")):
        raise ValueError(f"The temperature must be a number above 0, not {temperature!r}. Try 1.")
    state, written = model.initial_state(len(seeds)), []
    chance = torch.stack([draws(seed, length)[:, 0] for seed in seeds])  # (B, length)
    for label in [-1, *vocabulary.encode(prime).tolist()]:  # the null vector comes first
        x = torch.full((len(seeds),), label)
        if restart is not None:
            x, state = begin_again(x, state, x == restart)
        h, state = model.step(x, state)
    for t in range(length):
        x = choose(model.readout(h), temperature, chance[:, t])
        written.append(x)
        if restart is not None:
            x, state = begin_again(x, state, x == restart)
        h, state = model.step(x, state)
    return [vocabulary.decode(labels) for labels in torch.stack(written, 1)] if written else [""] * len(seeds)


def begin_again(x: Tensor, state: tuple, over: Tensor) -> tuple[Tensor, tuple]:
    """Where `over` (B,) holds, put the null vector and an empty state in place of the last symbol and state."""
    keep = (~over).unsqueeze(-1)
    return torch.where(over, -1, x), tuple(type(s)(*(part * keep for part in s)) for s in state)


def load_text_network(path) -> tuple:
    """Load a text network, its vocabulary, and the label after which it starts anew (None if it does not)."""
    model, info = load_weights(path)
    if "vocabulary" not in info:
        raise ValueError(f"{path} holds no text network but a pen. Let it write with `sample`.")
    vocabulary = Vocabulary(info["vocabulary"]["kind"], tuple(info["vocabulary"]["symbols"]))
    alone = info.get("training", {}).get("sequences") == "sentences"
    return model, vocabulary, vocabulary.symbols.index("\n") if alone else None


# What a Wikipedia page opens and should close, as regular expressions (section 3.2).
PAIRS = {
    "round brackets": (r"\(", r"\)"), "links": (r"\[\[", r"\]\]"), "templates": (r"\{\{", r"\}\}"),
    "quotes": ("&quot;|\"", "&quot;|\""), "headings": (r"^==+", r"==+$"),
}


def closed(text: str, opening: str, closing: str, within: int = 1000) -> tuple[int, int]:
    """Count the marks that open something, and how many of them are closed within so many symbols.

    The marks are regular expressions; pairs may be nested. A mark so near the end that its partner
    may only be cut off is not counted.
    """
    waiting, opened, ends = [], [], {}
    for mark in re.finditer(f"(?P<opens>{opening})|{closing}", text, re.MULTILINE):
        if mark["opens"] and not (opening == closing and waiting):
            waiting.append(mark.start()), opened.append(mark.start())
        elif waiting:
            ends[waiting.pop()] = mark.start()
    counted = [start for start in opened if len(text) - start > within]
    return len(counted), sum(ends.get(start, len(text)) - start <= within for start in counted)


def closed_shares(texts: list[str], within: int = 1000) -> dict:
    """Return, for each kind of pair and for XML tags, how many were opened and the share of them that was closed."""
    names = sorted({name for text in texts for name in re.findall(r"<(\w+)[^<>/]*>", text)})
    kinds = {name: [pair] for name, pair in PAIRS.items()}
    kinds["tags"] = [(rf"<{name}(?: [^<>/]*)?>", f"</{name}>") for name in names]
    shares = {}
    for kind, pairs in kinds.items():
        counts = [closed(text, *pair, within) for text in texts for pair in pairs]
        opened, found = map(sum, zip((0, 0), *counts))
        shares[kind] = dict(opened=opened, closed=found / opened if opened else None)
    return shares

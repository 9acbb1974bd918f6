"""What the training loop need not know: data, batches, loss and score of ink, of text, and of what reads ink."""

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import datasets
from .alphabet import encode
from .batches import (
    Batch,
    batches,
    collate,
    collate_text,
    deal,
    line_end,
    mask_of,
    repeat_factors,
    repeated,
    sentences,
    streams,
)
from .embedding import StyleReader, proxy_loss, verification_error
from .evaluation import nats, score_text, spans_of, text_metrics
from .mixture import mixture_loss
from .models import HandwritingPredictor, HandwritingSynthesizer, TextPredictor
from .recogniser import Recogniser, ctc_loss, error_rate, features, read_features, side_by_side, tidy, varied
from .strokes import Normalisation, targets
from .tied import TiedTextPredictor


class InkTask:
    """Pen points: "synthesis" with the line's text (section 5), "prediction" without (section 4)."""

    metric, unit = "nats_per_line", "nats a line"

    def __init__(self, config):
        self.config = config
        self.train = datasets.load(config.data, config.train_split)
        self.validation = datasets.load(config.data, config.validation_split)[: config.validation_lines or None]
        self.normalisation = Normalisation.fit(self.train)
        self.factors = repeat_factors(self.train, config.rare)

    def make_model(self) -> torch.nn.Module:
        """Build the network."""
        c = self.config
        clips = dict(clip_lstm=c.clip_lstm or None, clip_output=c.clip_output or None)
        if c.model == "prediction":
            return HandwritingPredictor(c.hidden, c.layers, c.M, **clips)
        return HandwritingSynthesizer(c.hidden, c.layers, c.M, c.K, **clips)

    def epoch(self, order: torch.Generator) -> list:
        """Deal the lines of one epoch into batches, rare characters more often."""
        return batches(repeated(self.train, self.factors, order), self.config.batch, order)

    def collate(self, lines: list) -> Batch:
        """Put lines side by side."""
        batch = collate(lines, self.normalisation)
        return batch if self.config.model == "synthesis" else batch._replace(text=None)

    def loss(self, model, batch: Batch, state) -> tuple[Tensor, object]:
        """Return the summed nats of some steps of a batch (eq. 26), and the state after them."""
        given = () if batch.text is None else (batch.text,)
        y_hat, state = model(batch.x, *given, state=state)
        return (mixture_loss(y_hat, batch.y) * batch.mask).sum(), state

    def sequences(self) -> int:
        """Count what an epoch learns from one by one: lines, or their stretches."""
        stretch, threshold = self.config.truncate, self.normalisation.threshold
        lengths = [len(targets(line.offsets_raw, threshold)) for line in self.train] if stretch else []
        return sum(-(-n // stretch) for n in lengths) or len(self.train)

    def score(self, model, device: str) -> float:
        """Return nats a validation line."""
        return nats(model, self.validation, self.normalisation, device=device)["nats_per_line"]

    def header(self) -> dict:
        """Return what the weights' file must say of the data."""
        return dict(normalisation=dataclasses.asdict(self.normalisation))


class TextTask:
    """Symbols of a text (section 3): sentences by themselves, or long streams with the state carried along."""

    metric, unit = "bpc", "bits a character"

    def __init__(self, config):
        self.config = config
        self.train = datasets.load_text(config.data, config.train_split)
        spans = spans_of(validation := datasets.load_text(config.data, config.validation_split), vars(config))
        self.spans = spans[: config.validation_lines or None]
        self.validation = validation.head(self.spans[-1][1])

    def make_model(self) -> torch.nn.Module:
        """Build the network."""
        c, V = self.config, len(self.train.vocabulary.symbols)
        return TextPredictor(V, c.hidden, c.layers, clip_lstm=c.clip_lstm or None, clip_output=c.clip_output or None,
                             input_std=c.input_std)

    def epoch(self, order: torch.Generator) -> list:
        """Deal the spans of one epoch into batches: sentences in a new order, streams as they are read."""
        c, n = self.config, len(self.train.labels)
        if c.sequences == "streams":
            return streams(n, c.batch, c.truncate * c.reset)
        spans = self.sentences()
        return deal(spans, [stop - start for start, stop in spans], c.batch, order, wobble=n / len(spans) / 8)

    def sentences(self) -> list[tuple[int, int]]:
        """Return the spans of the training sentences."""
        return sentences(self.train.labels, line_end(self.train.vocabulary))

    def collate(self, spans: list) -> Batch:
        """Put spans side by side."""
        return collate_text(self.train.labels, spans)

    def loss(self, model, batch: Batch, state) -> tuple[Tensor, object]:
        """Return the summed nats of some steps of a batch (eqs 12 and 13), and the state after them."""
        logits, state = model(batch.x, state=state)
        losses = F.cross_entropy(logits.flatten(0, 1), batch.y.flatten(), reduction="none")
        return (losses * batch.mask.flatten()).sum(), state

    def sequences(self) -> int:
        """Count what an epoch learns from one by one: sentences, or stretches of the streams."""
        c, n = self.config, len(self.train.labels)
        if c.sequences == "sentences":
            return sum(-(-(stop - start) // (c.truncate or n)) for start, stop in self.sentences())
        return -(-n // c.truncate) if c.truncate else c.batch

    def score(self, model, device: str) -> float:
        """Return bits a character on the validation text."""
        return text_metrics(score_text(model, self.validation, self.spans, device=device), self.validation)["bpc"]

    def header(self) -> dict:
        """Return what the weights' file must say of the data."""
        return dict(vocabulary=dataclasses.asdict(self.train.vocabulary))


class TiedTextTask(TextTask):
    """Symbols of a text, read by a network beyond the paper's."""

    def make_model(self) -> torch.nn.Module:
        """Build the network."""
        c, V = self.config, len(self.train.vocabulary.symbols)
        sizes = (V, c.hidden, c.layers, c.embedding or c.hidden)
        return TiedTextPredictor(*sizes, c.dropout, clip_lstm=c.clip_lstm or None)


class RecogniserTask(InkTask):
    """Lines of ink, and what they read."""

    metric, unit = "cer", "of the characters misread"

    def __init__(self, config):
        super().__init__(config)
        self.rows = {id(line): features(line.offsets_raw) for line in self.train}
        self.seen = [features(line.offsets_raw) for line in self.validation]

    def make_model(self) -> torch.nn.Module:
        """Build the network."""
        return Recogniser(self.config.hidden, self.config.layers)

    def epoch(self, order: torch.Generator) -> list:
        """Deal the lines into batches, each line with a seed for the way in which it is varied."""
        deals = super().epoch(order)
        return [list(zip(deal, torch.randint(2**31, (len(deal),), generator=order).tolist())) for deal in deals]

    def collate(self, lines: list) -> Batch:
        """Put varied lines side by side. `text` holds labels (B, U), -1 past a text's end; no place has a target."""
        rows = [varied(self.rows[id(line)], np.random.default_rng(seed)) for line, seed in lines]
        x, _ = side_by_side(rows)
        labels = [encode(tidy(line.text)) for line, _ in lines]
        labels = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-1)
        return Batch(x, x, mask_of(rows).float(), labels)

    def loss(self, model, batch: Batch, state) -> tuple[Tensor, object]:
        """Return the summed nats of the texts of a batch."""
        logits, lengths = model(batch.x, batch.mask.sum(0).long())
        return ctc_loss(logits, lengths, batch.text), ()

    def score(self, model, device: str) -> float:
        """Return the character error rate on validation lines."""
        return error_rate([tidy(line.text) for line in self.validation], read_features(model, self.seen))

    def header(self) -> dict:
        """Return what the weights' file must say of the data: nothing."""
        return {}


class StyleTask(InkTask):
    """Lines of ink whose writers are known, and who wrote them."""

    metric, unit = "equal_error_rate", "equal error rate"
    LENGTH = 300  # points of a line that a batch sees, so that the text is no help

    def __init__(self, config):
        super().__init__(config)
        self.train = [line for line in self.train if line.writer >= 0]
        self.validation = [line for line in self.validation if line.writer >= 0]
        if not (self.train and self.validation):
            raise ValueError(f"Nobody knows who wrote the lines of {config.data}: the archives do not name them.")
        self.writers = {number: i for i, number in enumerate(sorted({line.writer for line in self.train}))}

    def make_model(self) -> torch.nn.Module:
        """Build the network."""
        return StyleReader(len(self.writers), self.config.hidden, self.config.layers)

    def epoch(self, order: torch.Generator) -> list:
        """Deal the lines into batches, each line with a share of it that is left out before the part that is seen."""
        deals = batches(self.train, self.config.batch, order)
        return [list(zip(deal, torch.rand(len(deal), generator=order).tolist())) for deal in deals]

    def collate(self, lines: list) -> Batch:
        """Put parts of lines side by side. `text` holds the writers (B,)."""
        rows = []
        for line, share in lines:
            offsets = self.normalisation.apply(targets(line.offsets_raw, self.normalisation.threshold))
            start = int(share * max(0, len(offsets) - self.LENGTH))
            rows.append(offsets[start : start + self.LENGTH])
        x, _ = side_by_side(rows)
        return Batch(x, x, mask_of(rows).float(), torch.tensor([self.writers[line.writer] for line, _ in lines]))

    def loss(self, model, batch: Batch, state) -> tuple[Tensor, object]:
        """Return the summed nats of the writers of a batch."""
        lengths = batch.mask.sum(0).long()
        _, cosines = model(batch.x, lengths.clamp(min=1))
        return proxy_loss(cosines, torch.where(lengths > 0, batch.text, -100)), ()  # -100 counts for nothing

    def score(self, model, device: str) -> float:
        """Return the equal error rate of "one writer or two?" on all pairs of validation lines."""
        return verification_error(model, self.validation, self.normalisation)


TASKS = {"synthesis": InkTask, "prediction": InkTask, "text": TextTask, "tied": TiedTextTask,
         "recogniser": RecogniserTask, "style": StyleTask}

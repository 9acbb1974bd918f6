"""Training that can be watched and stopped, and the bench on a processor."""

import itertools
import time

import pytest

from graves_nb.bench import seconds, step
from graves_nb.cli import main
from graves_nb.live import Watched, curve


def test_it_ends_by_itself_and_shows_the_loss():
    watched = Watched(iter([3.0, 2.0, 1.0, 0.5]), total=3)
    assert watched.wait(10) == [3.0, 2.0, 1.0]
    assert watched.bar.value == 3 and "1.000 nats" in watched.curve.value and watched.button.disabled


def test_the_button_stops_it():
    def slow():
        for n in itertools.count():
            time.sleep(0.01)
            yield float(n)

    watched = Watched(slow(), total=10_000)
    while not watched.losses:
        time.sleep(0.01)
    watched.button.click()
    assert 0 < len(watched.wait(10)) < 10_000 and not watched.thread.is_alive()


def test_an_error_is_told_where_the_result_is_asked_for():
    def broken():
        yield 1.0
        raise FloatingPointError("a gradient is not finite")

    with pytest.raises(FloatingPointError, match="not finite"):
        Watched(broken(), total=5).wait(10)


def test_one_loss_can_be_drawn():
    assert curve([]) == "" and 'role="img"' in curve([2.0])


def test_jobs_take_turns():
    order = []
    seconds(dict(a=lambda: order.append("a"), b=lambda: order.append("b")), repeats=2)
    assert order == ["a", "b"] * 3


@pytest.mark.parametrize("path", ["plain", "steps"])
def test_a_step_of_the_bench_is_a_training_step(path):
    step(path, T=2, B=1, device="cpu")()


def test_without_a_gpu_the_check_says_so(capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a GPU is at hand")
    assert main(["bench", "--check"]) == 1 and "no GPU" in capsys.readouterr().err

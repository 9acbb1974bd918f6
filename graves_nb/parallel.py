"""Several devices, one process each, as torchrun starts them; without it, one."""

import os

import torch
import torch.distributed as dist


def start(device: str) -> str:
    """Join the other processes, if torchrun started this one; return the device that is this one's."""
    if "LOCAL_RANK" not in os.environ or dist.is_initialized():
        return device
    if not device.startswith("cuda"):
        dist.init_process_group("gloo")
        return device
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl")
    return f"cuda:{torch.cuda.current_device()}"


def stop() -> None:
    """Take leave of the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Return which process this is; the first one, 0, writes the log and the files."""
    return dist.get_rank() if dist.is_initialized() else 0


def ranks() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def wrap(model: torch.nn.Module) -> torch.nn.Module:
    """Return a model whose gradients are the mean over all processes."""
    return torch.nn.parallel.DistributedDataParallel(model) if ranks() > 1 else model


def total(value: float, device) -> float:
    """Return the sum of a number over all processes."""
    if ranks() == 1:
        return value
    tensor = torch.tensor(value, dtype=torch.float64, device=device)
    dist.all_reduce(tensor)
    return tensor.item()


def from_first(value):
    """Return what the first process has."""
    if ranks() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]

"""Downloads, through pooch: broken ones go on where they stopped, and nothing false bears the right name."""

import hashlib
import os
from pathlib import Path

from tqdm import tqdm

TRIES = 5


def fetch(url: str, path: str | Path, md5: str | None = None) -> Path:
    """Return the file `path`, fetched from `url` if it is not there; ValueError where it is not what it should be."""
    import pooch

    path, part = Path(path), Path(f"{path}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        pooch.retrieve(url, f"md5:{md5}" if md5 else None, path.name, path.parent,
                       downloader=lambda url, out, _: resume(url, Path(out), part))
    except ValueError as error:
        raise ValueError(f"{url} did not send what it should ({error}). Try again, or fetch it by hand.") from error
    return path


def resume(url: str, out: Path, part: Path) -> None:
    """Download into `part`, going on from what it holds, and move it to `out` when all is there."""
    for _ in range(TRIES):
        if receive(url, part):
            os.replace(part, out)
            return
    raise OSError(f"{url} cannot be reached, or breaks off again and again. What has come is kept: try again later.")


def receive(url: str, part: Path) -> bool:
    """Ask for what `part` lacks; say whether the server sent all it promised."""
    import requests

    have = part.stat().st_size if part.is_file() else 0
    try:
        with requests.get(url, headers={"Range": f"bytes={have}-"} if have else {}, stream=True, timeout=60) as reply:
            if reply.status_code == 416:  # nothing is left to ask for, or the file there is another
                part.unlink()
                return False
            reply.raise_for_status()
            goes_on = reply.status_code == 206
            promised = int(reply.headers.get("Content-Length", 0)) + goes_on * have
            with part.open("ab" if goes_on else "wb") as file, tqdm(
                    total=promised or None, initial=goes_on * have, unit="B", unit_scale=True, desc=part.stem) as bar:
                for chunk in reply.iter_content(1 << 16):
                    file.write(chunk)
                    bar.update(len(chunk))
            return part.stat().st_size >= promised
    except requests.HTTPError as error:
        raise OSError(f"{url} cannot be had: {error}. Fetch it by hand.") from error
    except requests.RequestException:
        return False


def check(data: bytes, md5: str, what: str) -> bytes:
    """Return the data if its MD5 is the right one."""
    found = hashlib.md5(data).hexdigest()
    if found != md5:
        raise ValueError(f"{what} is not the file that the published figures rest on: its MD5 is {found}, not {md5}.")
    return data

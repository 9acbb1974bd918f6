"""`python -m graves_nb train|evaluate|sample|export|pack|bench`: see `cli`."""

import contextlib
import ctypes
import os
import sys

# Training makes and drops arrays of 100 MB: in huge pages that takes a third of the time less ...
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# ... and a fifth less again if they stay ours: what goes back to Linux must be filled with zeros to come again.
with contextlib.suppress(OSError, AttributeError, TypeError):  # not the GNU C library
    NO_MAPPINGS, NO_TRIMMING = (-4, 0), (-1, -1)  # M_MMAP_MAX, M_TRIM_THRESHOLD
    for option in (NO_MAPPINGS, NO_TRIMMING):
        ctypes.CDLL(None).mallopt(*option)

from .cli import main  # noqa: E402 (torch reads the setting when it starts)

sys.exit(main())

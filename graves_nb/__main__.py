"""`python -m graves_nb train|evaluate|sample|export|pack|bench`: see `cli`."""

import sys

from .cli import main

sys.exit(main())

"""`python -m atpdsl`: the command line."""

import sys

from atpdsl.cli import main

sys.exit(main())

"""`python -m motionclip`: the same as the command `motionclip`, for torchrun and for environments without scripts."""

import sys

from motionclip.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

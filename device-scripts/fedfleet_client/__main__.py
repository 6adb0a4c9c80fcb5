"""`python -m fedfleet_client …`"""

import sys

from .run import main_and_end

if __name__ == "__main__":
    main_and_end(sys.argv[1:])

"""The original repository's command line: `python3 client.py --server_address=HOST:8080 --cid=0 --model=ResNet18
--batch_size 50`. It is the same client as `python3 -m fedfleet_client`.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fedfleet_client.run import main_and_end  # noqa: E402

if __name__ == "__main__":
    main_and_end(sys.argv[1:], "client.py")

# SPDX-License-Identifier: Apache-2.0
"""The kill test with many more moments than every change can wait for."""
import os
import sys
from pathlib import Path

os.environ["SHUIBAO_TEST_KILLS"] = "24"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import main  # noqa: E402
from test_kill import Interruption  # noqa: E402,F401

if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The agreement with another computation on ten thousand configurations."""
import os
import sys
from pathlib import Path

os.environ["SHUIBAO_TEST_CONFIGURATIONS"] = "10000"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import main  # noqa: E402
from test_overlay_agreement import Agreement  # noqa: E402,F401

if __name__ == "__main__":
    main()

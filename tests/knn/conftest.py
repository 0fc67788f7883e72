"""What the tests of nearest neighbours share."""

from __future__ import annotations

import os

# before faiss or numpy load theirs: threads that spin while waiting would starve the suite's other processes
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

"""Calls every function whose fates are known by construction, each once."""

import passes_arithmetic  # noqa: F401
import passes_control_flow  # noqa: F401
import passes_folding  # noqa: F401
import passes_fusing  # noqa: F401
import passes_merging  # noqa: F401
from passes_construction import call_all

call_all()

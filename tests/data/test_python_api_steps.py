"""What `steps` may be: it is said before anything is imported or run."""

from __future__ import annotations

import pytest

import tfgraphdbg
from tfgraphdbg.errors import UsageError


@pytest.mark.parametrize("steps", [-1, 2.5, "a", None, True])
def test_steps_that_are_no_number_of_steps_are_refused(steps):
    with pytest.raises(UsageError, match="is no number of steps"):
        tfgraphdbg.watch(steps=steps)
    with pytest.raises(UsageError, match="is no number of steps"):
        tfgraphdbg.record(lambda: None, steps=steps)

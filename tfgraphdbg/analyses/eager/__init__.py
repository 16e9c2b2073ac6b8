"""What eager execution costs beside a graph: the op trace, call costs, and which graph op each op became."""

from __future__ import annotations

from tfgraphdbg.analyses.eager.eager_report import explain_eager

__all__ = ["explain_eager"]

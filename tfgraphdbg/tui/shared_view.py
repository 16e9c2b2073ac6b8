"""What the modes have in common: the tracing that is looked at, and what is known of what became of its ops."""

from __future__ import annotations

import threading

from tfgraphdbg.analyses.op_life import OpLives, lives_of
from tfgraphdbg.recording import Recording, Tracing, rewrites_part
from tfgraphdbg.tui.long_lived import kept_for_good
from tfgraphdbg.tui.once_per_tracing import OncePerTracing
from tfgraphdbg.tui.op_times import SlackTimes, read_op_times
from tfgraphdbg.tui.opened_report import OpenedReport, open_report
from tfgraphdbg.tui.pass_notes import PassNotes, read_notes


class SharedView:
    """One for the app. What takes long is worked out once for each tracing, by whichever worker asks first."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.tracing = recording.meta.main_tracing
        """Index of the tracing that is looked at."""
        self.times = OncePerTracing(lambda tracing: read_op_times(recording, tracing))
        """Times of the ops of each tracing; None where none were measured."""
        self.bottlenecks = OncePerTracing(self._find_bottlenecks)
        """Where the time of each tracing goes."""
        self.eager = OncePerTracing(self._explain_eager)
        """What each tracing's function does when it is called eagerly."""
        self._slack: dict[int, SlackTimes] = {}
        self.by_time = False
        """Whether ops have the colours of their times."""
        self._lives: dict[int, OpLives | None] = {}
        self._notes: dict[int, PassNotes] = {}
        self._one_at_a_time = threading.Lock()
        self._one_reader = threading.Lock()

    def _find_bottlenecks(self, tracing: Tracing) -> OpenedReport:
        from tfgraphdbg.analyses.bottlenecks import find_bottlenecks
        from tfgraphdbg.tui.time_sheets import slack_times

        opened = open_report(find_bottlenecks, self.recording, tracing)
        self._slack[tracing.index] = slack_times(opened.report)
        return opened

    def known_slack(self, tracing: Tracing) -> SlackTimes | None:
        """How much longer ops may take, if that is worked out already; answers at once."""
        return self._slack.get(tracing.index)

    def _explain_eager(self, tracing: Tracing) -> OpenedReport:
        from tfgraphdbg.analyses.eager import explain_eager

        return open_report(explain_eager, self.recording, tracing)

    def has_passes(self, tracing: Tracing) -> bool:
        """Whether it was recorded what Grappler did to a tracing; answers at once."""
        return rewrites_part(tracing.index) in self.recording.parts.names()

    def known_lives(self, tracing: Tracing) -> OpLives | None:
        """The lives of a tracing's ops if they are worked out already; answers at once."""
        return self._lives.get(tracing.index)

    def lives(self, tracing: Tracing) -> OpLives | None:
        """The lives of a tracing's ops, worked out now if need be: call it in a worker. None: passes not recorded.

        Raises DebuggerError when a part is damaged or missing.
        """
        with self._one_at_a_time:
            if tracing.index not in self._lives:
                with kept_for_good():
                    found = lives_of(self.recording, tracing) if self.has_passes(tracing) else None
                self._lives[tracing.index] = found
            return self._lives[tracing.index]

    def known_notes(self, tracing: Tracing) -> PassNotes | None:
        """Findings and options of a tracing's passes if they are read already; answers at once."""
        return self._notes.get(tracing.index)

    def notes(self, tracing: Tracing) -> PassNotes:
        """Findings and options of a tracing's passes, worked out now if need be: call it in a worker."""
        with self._one_reader:
            if tracing.index not in self._notes:
                found = read_notes(self.recording, tracing, has_passes=self.has_passes(tracing))
                self._notes[tracing.index] = found
            return self._notes[tracing.index]

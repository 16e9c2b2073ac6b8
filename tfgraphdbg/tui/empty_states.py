"""What is said where there is nothing to show, and what to do then."""

from __future__ import annotations

from tfgraphdbg.message_words import listed
from tfgraphdbg.recording import Recording, Tracing, rewrites_part
from tfgraphdbg.report import Report
from tfgraphdbg.tui.cell_text import as_sentence, visible
from tfgraphdbg.tui.op_times import are_of_stage
from tfgraphdbg.tui.pass_notes import PassNotes

NO_HITS = "\nNo op of this stage matches.\n\nEsc clears the search, ? then explains what can be searched for."


EMPTY_TEXT = "\nThis text is empty.\n\n] goes to the next stage."

NOTHING_LOGGED = "\nThe program printed nothing, and TensorFlow logged nothing.\n\nPress 1 to go to the graph."


FOLLOWING_OPS = "\nfollowing each op through the passes ..."

STAYED_CALLS = "\nThese library functions stayed calls: Grappler optimized each by itself when it first ran."

NO_EDIT_HITS = "\nNo op that this pass edited matches.\n\nEsc clears the search."


LOOKING = "\nlooking at the passes ..."

NO_NOTE_HITS = "\nNothing here matches.\n\nEsc clears the search."

NO_OPTIONS = "\nGrappler's options were not recorded: nothing ran."


def no_findings(notes: PassNotes) -> str:
    """Passes of which nothing is worth telling, or not known."""
    if notes.unknown:
        return f"Findings are not known: {visible(notes.unknown)}"
    if not notes.has_passes:
        return "Findings come from the passes and what they left undone, which were not recorded."
    text = "Nothing is worth telling: no pass was slow or failed"
    if notes.searched:
        return f"{text}, and the rules for missed chances find none in the graph that ran."
    return f"{text}.\n\nMissed chances were not looked for: the graph that ran was not recorded."


def pass_without_edit(note: str) -> str:
    """A pass that left the graph as it was."""
    return "\nThis pass changed nothing." + (f"\n\n{as_sentence(note)}" if note else "")


def function_passes(name: str) -> str:
    """A library function, whose passes are listed when it is opened."""
    return f"\n{visible(name)} stayed a call, and was optimized by itself.\n\nEnter lists its passes."


def no_passes(recording: Recording, tracing: Tracing) -> str:
    """A tracing of which no pass was recorded."""
    function = visible(tracing.function)
    text = f"What Grappler did to {function} was not recorded."
    if tracing.jit_compile:
        text = f"XLA compiles {function} (jit_compile), so Grappler's passes say little about what ran."
        hlo = [visible(stage.name) for stage in tracing.stages if stage.kind == "text"]
        if hlo:
            stages = f"stage {hlo[0]} holds" if len(hlo) == 1 else f"stages {listed(hlo)} hold"
            text += f"\n\nIts {stages} what XLA made: press 1, then s."
    elif recording.target.kind == "graph_def":
        text += "\n\nA GraphDef file holds one graph, and no run of Grappler. Record the function that made it."
    reasons = [gap.reason for gap in recording.missing if gap.evidence == "grappler-passes"]
    if reasons:
        return text + "\n\n" + "\n".join(as_sentence(reason, _names(recording)) for reason in dict.fromkeys(reasons))
    if recording.target.kind != "graph_def" and not tracing.jit_compile:
        text += f"\n\nRecord it again to have it:\n\n    tfgraphdbg inspect {visible(recording.target.name)}"
    return text + _other_tracing(recording)


def _other_tracing(recording: Recording) -> str:
    names = recording.parts.names()
    others = [tracing for tracing in recording.tracings if rewrites_part(tracing.index) in names]
    return f"\n\nt chooses another tracing: {visible(others[0].function)} has passes." if others else ""


def unknown_passes(tracing: Tracing, note: str) -> str:
    """Passes that were recorded and cannot be followed."""
    return f"What became of the ops of {visible(tracing.function)} is {visible(note)}"


def no_times_to_colour(recording: Recording, tracing: Tracing) -> str:
    """Ops cannot have the colours of times that nobody measured."""
    text = f"No times of {visible(tracing.function)} were measured"
    return f"{text}: {why_missing(recording, 'op-times') or record_again(recording)}"


def compiled_whole(tracing: Tracing) -> str:
    """XLA runs no op of the graph by itself."""
    return f"XLA compiled {visible(tracing.function)} as a whole, so its ops have no times of their own"


def times_are_elsewhere(tracing: Tracing) -> str:
    """Times are of the ops that ran, which another stage holds."""
    graphs = (stage.name for stage in tracing.stages if stage.kind != "text")
    ran = next((name for name in graphs if are_of_stage(name)), "")
    return f"Times are of the ops that ran: those of the stage {ran}" if ran else "The graph that ran was not recorded"


ANALYSING = "working it out ..."

NOTHING_FOUND = "Nothing here is worth a word: no rule found anything to tell."


def report_failed(tracing: Tracing) -> str:
    """An analysis that could not read what it needs."""
    return f"This cannot be told of {visible(tracing.function)}: a part of the recording cannot be read."


def no_times(recording: Recording, tracing: Tracing, report: Report) -> str:
    """A tracing of which no steps were measured."""
    text = f"No times of {visible(tracing.function)} were measured."
    return text + _gap_of(report, "op-times", recording, "--steps 10")


def no_eager_run(recording: Recording, tracing: Tracing, report: Report) -> str:
    """A tracing whose function was not run eagerly."""
    text = f"{visible(tracing.function)} was not run eagerly."
    return text + _gap_of(report, "eager-ops", recording, "--eager")


def _gap_of(report: Report, evidence: str, recording: Recording, option: str) -> str:
    reasons = dict.fromkeys(gap.reason for gap in report.missing if gap.evidence == evidence and gap.reason)
    names = _names(recording)
    told = "".join(f"\n\n{as_sentence(reason, names).rstrip('.')}." for reason in reasons)
    # The recorder's own reason would be the same again, and some reasons say themselves what to type.
    known = any(gap.evidence == evidence for gap in recording.missing)
    return told if known or "tfgraphdbg" in told else told + _measure_with(recording, option)


def _names(recording: Recording) -> set[str]:
    """What begins a reason and is the user's own name."""
    functions = (tracing.function for tracing in recording.tracings)
    return {recording.target.name, recording.target.name.rpartition(":")[2], *functions}


def _measure_with(recording: Recording, option: str) -> str:
    if recording.target.kind == "graph_def":
        return "\n\nA GraphDef file holds one graph, and no program to run. Record the function that made it."
    return f"\n\nRecord it again to have it:\n\n    tfgraphdbg inspect {visible(recording.target.name)} {option}"


def why_missing(recording: Recording, evidence: str) -> str:
    """Why evidence could not be had, as the recording says."""
    return "; ".join(dict.fromkeys(visible(gap.reason) for gap in recording.missing if gap.evidence == evidence))


def record_again(recording: Recording) -> str:
    """What to type to have what is missing."""
    return f"tfgraphdbg inspect {visible(recording.target.name)} records them"


def reading(stage: str) -> str:
    """While a stage is being opened."""
    return f"\nreading {visible(stage)} ..."


def no_ops(stage: str) -> str:
    """A graph without ops."""
    return f"\nThe stage {visible(stage)} has no ops.\n\n] goes to the next stage."


def unreadable(stage: str) -> str:
    """A stage whose part of the file is damaged."""
    return (
        f"The stage {visible(stage)} cannot be read.\n\n"
        "] goes to the next stage, t to another tracing.\nRecord the program again to have it back."
    )


def no_tracing(recording: Recording) -> str:
    """A recording of a program that traced nothing."""
    if recording.tracings:
        return "This recording has tracings, but none of them is the main one.\n\nt chooses one." + _gaps(recording)
    target = visible(recording.target.name)
    text = f"No tf.function ran in {target}, so there is no graph to show."
    if recording.meta.outcome != "complete":
        text += f"\n\nThe run ended early. {as_sentence(recording.meta.outcome)}"
    if recording.target.kind == "program":
        text += f"\n\nName a function of this file to record it:\n\n    tfgraphdbg inspect {target}:FUNCTION"
    elif recording.target.kind == "function":
        file = target.rpartition(":")[0] or target
        text += f"\n\nName another function of this file to record it:\n\n    tfgraphdbg inspect {file}:FUNCTION"
    return text + _gaps(recording)


def no_stage(recording: Recording, tracing: Tracing) -> str:
    """A tracing of which no graph was recorded."""
    text = f"No stage of {visible(tracing.function)} was recorded.\n\nt chooses another tracing."
    if tracing.role == "nested":
        text = f"{visible(tracing.function)} was traced inside another tracing, which holds its graph.\n\nt chooses it."
    return text + _gaps(recording)


def _gaps(recording: Recording) -> str:
    lines = [f"{visible(gap.evidence)}: {visible(gap.reason)}" for gap in recording.missing]
    return "\n\n" + "\n".join(["What is missing:", *lines]) if lines else ""

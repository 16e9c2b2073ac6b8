"""The terminal UI: the only folder that imports Textual. `app.DebuggerApp(recording).run()` opens it."""

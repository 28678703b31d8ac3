"""`freeze-or-tune COMMAND`: one file a command, a typed function each; what is heavy is imported when it runs.

A command fails by UserError, or by `typer.Exit` with a status of its own. `__main__` lists them.
"""

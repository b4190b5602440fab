"""Finds a Python new enough for the project and lets it make `.venv` (see environment.py).

With the word `lock` first it runs lock.py in place of that.

The syntax of this file is understood by Python 2.7 and 3.5 too, so that an old interpreter finds a
newer one, or says which to install, in place of a SyntaxError. That is why it has type comments,
and no f-strings.
"""

from __future__ import print_function

import os
import runpy
import subprocess
import sys

OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3", "python")

#: Fitness of an interpreter, as `--fitness` prints it for a caller in another interpreter.
UNFIT, BARE, FIT = 0, 1, 2


class Refusal(Exception):
    """A sentence that says why nothing can be set up, and what to do."""


def fitness():
    # type: () -> int
    """How well this interpreter serves: too old, unable to make environments, or fit."""
    if sys.version_info[:2] < OLDEST:
        return UNFIT
    from importlib.util import find_spec  # noqa: PLC0415 - Python 2.7 has no importlib.util

    return FIT if any(find_spec(name) for name in ("ensurepip", "virtualenv", "pip")) else BARE


def fitness_of(python):
    # type: (str) -> int
    """The same of another interpreter. A pyenv shim is there but fails, and counts as unfit."""
    try:
        child = subprocess.Popen(
            [python, os.path.abspath(__file__), "--fitness"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        answer = child.communicate()[0].strip()
    except OSError:
        return UNFIT
    return int(answer) if child.returncode == 0 and answer.isdigit() else UNFIT


def on_path():
    # type: () -> list[str]
    """Every executable on PATH that has one of the names; a shim may hide a good one behind it."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    files = [os.path.join(folder, name) for name in NAMES for folder in folders if folder]
    return [file for file in files if os.access(file, os.X_OK) and not os.path.isdir(file)]


def choose():
    # type: () -> str
    """The first fit interpreter, this one before those on PATH; else the first that is new enough."""
    here = fitness()
    if here == FIT:
        return sys.executable
    bare = sys.executable if here == BARE else ""
    for python in on_path():
        found = fitness_of(python)
        if found == FIT:
            return python
        bare = bare or (python if found == BARE else "")
    if bare:
        return bare
    raise Refusal(
        "Python %d.%d or newer is needed, and none was found: this is Python %s, and %s on PATH are "
        "older, broken or missing. Install one (Debian, Ubuntu: `sudo apt-get install python3 "
        "python3-venv`; macOS: `brew install python@3.13`) and run `make setup` again."
        % (OLDEST + (".".join(str(part) for part in sys.version_info[:3]), ", ".join(NAMES)))
    )


def main():
    # type: () -> int
    if sys.argv[1:] == ["--fitness"]:
        print(fitness())
        return 0
    try:
        if os.name != "posix":
            raise Refusal(
                "Only Linux and macOS are supported. On Windows, use WSL and run `make setup` there."
            )
        python = choose()
    except Refusal as refusal:
        print("setup: %s" % refusal, file=sys.stderr)
        return 1
    lock = sys.argv[1:2] == ["lock"]
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lock.py" if lock else "environment.py")
    command = [script] + sys.argv[2 if lock else 1 :]
    if python != sys.executable:
        os.execv(python, [python] + command)
    sys.argv = command
    runpy.run_path(script, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())

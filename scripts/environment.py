"""Makes `.venv` from a lock file; does nothing when it already holds exactly that.

`python scripts/bootstrap.py [--runtime]` is the way in: it picks the interpreter that runs this file.

The stamp in `.venv` is written last. Whatever stops a set-up half-way, a stamp that is missing or
names another lock, profile or Python makes the next one begin afresh. A file lock lets one run at a
time. Every failure ends as one sentence with what to do, and exit 1.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setup-stamp.json"
LOG = VENV / "setup.log"
LOCKS = {"dev": "requirements-dev.lock", "runtime": "requirements.lock"}

#: pip's own settings that would send packages somewhere else than into `.venv`.
MISLEADING = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


NO_SPACE = (
    f"The disk is full: {ROOT} and the folder for temporary files need about 1 GB. "
    "Free some, then run `make setup` again."
)
NO_ACCESS = f"{VENV} cannot be written: give this user the right to, or work in a checkout of your own."


def no_way() -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    system = os.path.realpath("/usr/bin/python3") == os.path.realpath(sys.executable)
    package = "python3-venv" if system else f"{version}-venv"
    return (
        f"{sys.executable} cannot make a virtual environment: it has neither ensurepip, virtualenv nor pip. "
        f"On Debian and Ubuntu run `sudo apt-get install {package}`, elsewhere install a complete Python "
        "3.11 or newer; then run `make setup` again."
    )


_PACKAGE = r"([A-Za-z0-9._-]+)"

#: What pip and venv print → the sentence for it; the first that is found counts, because a full disk
#: or a refused hash often ends in a second, vaguer complaint.
CAUSES = {
    r"Errno (?:28|122)\b|No space left|quota exceeded": NO_SPACE,
    rf"DO NOT MATCH THE HASHES(?s:.)*?^\s+{_PACKAGE}\S* ": (
        "What was downloaded for {package} is not what {lock} names, so nothing was installed. Restore the lock "
        "(`git checkout {lock}`) or, if the dependencies were changed on purpose, run `make lock`; then run "
        "`make setup` again."
    ),
    rf"pinned with ==(?s:.)*?^\s+{_PACKAGE}|Hashes are required(?s:.)*?^\s+{_PACKAGE}": (
        "{lock} is incomplete: {package} has no version or no hash. Restore it (`git checkout {lock}`) or run "
        "`make lock`; then run `make setup` again."
    ),
    r"Invalid requirement|InvalidRequirement": (
        "{lock} is damaged. Restore it (`git checkout {lock}`) or run `make lock`; then run `make setup` again."
    ),
    (
        r"NewConnectionError|ConnectTimeout|Read timed out|ReadTimeout|Max retries exceeded|ProxyError|name resolution"
        r"|CERTIFICATE_VERIFY_FAILED|Connection (?:refused|aborted|broken)|Network is unreachable"
    ): (
        "The package index could not be reached. Check the network, the proxy (HTTPS_PROXY) and pip's own settings "
        "(`pip config list`), then run `make setup` again."
    ),
    rf"No matching distribution found for {_PACKAGE}": (
        "No ready-made {package} for {platform} was found. Check that the package index can be reached "
        "(`pip config list`), and use CPython 3.11 to 3.13 on Linux or macOS; then run `make setup` again."
    ),
    r"Errno (?:13|30)\b|Permission denied|Read-only file system": NO_ACCESS,
    r"\bensurepip\b": no_way(),
}


class Refusal(Exception):
    """One sentence: what stopped the set-up, and what to do."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make an environment, and the pip command that then installs into it."""

    name: str
    make: Sequence[str]
    pip: Sequence[str]


def can_import(name: str) -> bool:
    """Whether this interpreter has the module; an empty folder of that name is none."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None


def ways(has: Callable[[str], bool], virtualenv: str | None) -> list[Way]:
    """Those that this interpreter offers, best first.

    ``has`` tells whether a module can be imported; ``virtualenv`` is the command of that name, if any.
    Debian and Ubuntu ship `ensurepip` apart from Python, in python3-venv.
    """
    inside = [str(PYTHON), "-m", "pip"]
    found = []
    if has("ensurepip"):
        found.append(Way("venv", [sys.executable, "-m", "venv", str(VENV)], inside))
    if has("virtualenv"):
        found.append(Way("virtualenv", [sys.executable, "-m", "virtualenv", "--quiet", str(VENV)], inside))
    if virtualenv is not None:
        found.append(
            Way("virtualenv", [virtualenv, "--quiet", "--python", sys.executable, str(VENV)], inside)
        )
    if has("pip") and has("venv"):
        make = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
        found.append(
            Way("venv and this Python's pip", make, [sys.executable, "-m", "pip", "--python", str(PYTHON)])
        )
    return found


def explain(output: str, *, lock: str) -> str:
    """The sentence for what pip, venv or virtualenv printed before it failed."""
    for pattern, sentence in CAUSES.items():
        if found := re.search(pattern, output, re.MULTILINE):
            package = next((group for group in found.groups() if group), "a package")
            system = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
            return (
                sentence.replace("{package}", package).replace("{lock}", lock).replace("{platform}", system)
            )
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "no output")
    return (
        f"It ended with “{last}”; the whole output is in {LOG.relative_to(ROOT)}. "
        f"Run `make setup` again; if that does not help, report it with that file."
    )


def of_os(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return NO_SPACE
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return NO_ACCESS
        case errno.ENOENT:
            return (
                f"{error.filename} is missing: restore it from the repository, then run `make setup` again."
            )
        case _:
            return f"{error}. Mend that, then run `make setup` again."


def wanted_stamp(profile: str) -> str:
    lock = hashlib.sha256((ROOT / LOCKS[profile]).read_bytes()).hexdigest()
    stamp = {"lock": lock, "profile": profile, "python": platform.python_version()}
    return json.dumps(stamp, sort_keys=True) + "\n"


def is_ready(stamp: str) -> bool:
    """Whether `.venv` was made to the end, from this lock, with this Python, which still exists."""
    try:
        return STAMP.read_text(encoding="utf-8") == stamp and PYTHON.exists()
    except FileNotFoundError:
        return False


def say(sentence: str) -> None:
    print(f"setup: {sentence}", flush=True)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds an advisory lock on this very file: it exists in every checkout and is never removed."""
    descriptor = os.open(__file__, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is at work; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in MISLEADING}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONUTF8": "1"}


def execute(command: Sequence[str]) -> tuple[int, str]:
    """Exit code and all output, which is added to the log where the folder for it exists."""
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=clean_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if VENV.is_dir():
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    return done.returncode, done.stdout


def clear() -> None:
    """Removes what is there. A link is somebody's arrangement and is left to them."""
    if VENV.is_symlink():
        raise Refusal(f"{VENV} is a link: remove it, then run `make setup` again.")
    # Renamed first: a half-removed environment must never look like one.
    remains = ROOT / ".venv.old"
    shutil.rmtree(remains, ignore_errors=True)
    if VENV.exists():
        VENV.rename(remains)
        shutil.rmtree(remains)


def make(lock: str) -> Way:
    """An empty environment, by the first way that works."""
    possible = ways(can_import, shutil.which("virtualenv"))
    if not possible:
        raise Refusal(no_way())
    sentence = ""
    for way in possible:
        clear()
        say(f"making {VENV.name} with Python {platform.python_version()} ({way.name}).")
        code, output = execute(way.make)
        if code == 0:
            return way
        sentence = explain(output, lock=lock)
    raise Refusal(sentence)


def install(way: Way, profile: str) -> None:
    lock = LOCKS[profile]
    count = len(re.findall(r"^\S+==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
    say(f"installing {count} packages from {lock}; about a minute.")
    # The lock is the whole answer. Left to resolve, pip looks for a newer release of whatever is wanted with an
    # extra, and refuses it for not being in the lock (https://github.com/pypa/pip/issues/9644).
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    if profile == "dev":
        # Byte code is made on first import, which spares a third of the time here.
        options.append("--no-compile")
    code, output = execute([*way.pip, "install", *options, "-r", lock])
    if code < 0:
        raise Refusal(
            f"pip was ended by signal {-code}: run `make setup` again, with more memory if that was short."
        )
    if code != 0:
        raise Refusal(explain(output, lock=lock))
    code, output = execute([*way.pip, "check"])
    if code != 0:
        first = next(iter(output.splitlines()), "no output")
        raise Refusal(
            f"{lock} does not fit together: {first.rstrip('.')}. Restore it (`git checkout {lock}`) or run `make lock`; "
            "then run `make setup` again."
        )


def finish(stamp: str) -> None:
    partial = STAMP.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(stamp)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(STAMP)


def set_up(profile: str) -> None:
    stamp = wanted_stamp(profile)
    if is_ready(stamp):
        return
    with one_at_a_time():
        if is_ready(stamp):
            return
        began = time.monotonic()
        install(make(LOCKS[profile]), profile)
        finish(stamp)
        say(f"{VENV.name} is ready after {time.monotonic() - began:.0f} s.")


def leave_environment() -> None:
    """Goes on in the interpreter behind a virtual one, which may be the very one to be replaced."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    if sys.prefix != sys.base_prefix and base != sys.executable:
        os.execv(base, [base, *sys.argv])  # noqa: S606 - no shell is wanted


def main() -> int:
    parser = argparse.ArgumentParser(description="Make .venv from the locked requirements.")
    parser.add_argument(
        "--runtime", action="store_true", help="only what is needed to run, nothing to test with"
    )
    profile = "runtime" if parser.parse_args().runtime else "dev"
    try:
        if not is_ready(wanted_stamp(profile)):
            leave_environment()
            set_up(profile)
    except Refusal as refusal:
        sentence = str(refusal)
    except OSError as error:
        sentence = of_os(error)
    except KeyboardInterrupt:
        sentence = "Stopped. Run `make setup` again; what was begun is redone."
    else:
        return 0
    print(f"setup: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

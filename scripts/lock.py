"""Writes requirements.lock and requirements-dev.lock from pyproject.toml, with uv.

Pins that still fit are kept; `--upgrade` moves every one to the newest that fits. uv is taken from `.venv`
or PATH, else installed for the moment into a temporary environment.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS: dict[str, list[str]] = {"requirements.lock": [], "requirements-dev.lock": ["--group", "dev"]}

#: An address in a lock would tie every checkout to one index.
FORBIDDEN = ("://", "--index", "--find-links")


def find_uv(temporary: Path) -> str:
    known = ROOT / ".venv" / "bin" / "uv"
    if known.exists():
        return str(known)
    if on_path := shutil.which("uv"):
        return on_path
    python = temporary / "bin" / "python"
    try:
        venv.create(temporary, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    except subprocess.CalledProcessError:
        sys.exit("lock: uv is needed and could not be installed. Put it on PATH and run `make lock` again.")
    return str(temporary / "bin" / "uv")


def compile_lock(uv: str, lock: str, options: list[str]) -> None:
    """Writes one lock, or leaves the old one as it is when the result would not do."""
    target = ROOT / lock
    draft = target.with_suffix(".draft")
    if target.exists():
        shutil.copy(target, draft)
    fixed = [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
    ]
    command = [uv, "pip", "compile", "pyproject.toml", *fixed, *options, "--output-file", draft.name]
    try:
        subprocess.run(command, check=True, cwd=ROOT)
        text = draft.read_text(encoding="utf-8")
        if found := [word for word in FORBIDDEN if word in text]:
            sys.exit(
                f"lock: uv wrote {', '.join(found)} into {lock}; the old one is kept. Check uv's settings."
            )
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the lock files from pyproject.toml.")
    parser.add_argument(
        "--upgrade", action="store_true", help="move every pin to the newest version that fits"
    )
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    with tempfile.TemporaryDirectory() as temporary:
        uv = find_uv(Path(temporary))
        for lock, options in LOCKS.items():
            try:
                compile_lock(uv, lock, [*options, *upgrade])
            except subprocess.CalledProcessError as error:
                sys.exit(
                    f"lock: uv ended with {error.returncode} for {lock}; the old one is kept. Its reason is above."
                )
            print(f"lock: wrote {lock}")


if __name__ == "__main__":
    main()

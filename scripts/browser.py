"""Sees to a Chromium for the browser tests: finds it, or installs Debian's where this may be done.

Says one line when there is none. It never fails: the browser tests themselves do, where CI=true.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PACKAGES = ("chromium", "fonts-liberation", "fonts-dejavu-core")
HOW = "install it (Debian: `sudo apt-get install chromium`) and run the tests again"


def find() -> str | None:
    """The first that starts: Ubuntu's package of that name is a stub where there is no snap."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None and _runs(path, "--version"):
            return path
    return None


def install() -> str:
    """Why Debian's could not be installed; empty when it was."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "there is no Chromium, and only root can install one with apt-get"
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments], env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            return f"apt-get {arguments[0]} failed: {said[-1] if said else done.returncode}"
    return "" if find() else "apt-get installed a Chromium that does not start"


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    problem = "" if find() else install()
    if problem:
        fate = "fail" if os.environ.get("CI") == "true" else "are skipped"
        print(f"Browser tests {fate}: {problem}; {HOW}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

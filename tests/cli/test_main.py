"""How the process ends."""

import json
import subprocess
import sys
import time
from pathlib import Path


def test_nothing_that_still_hangs_keeps_a_run_that_is_over(tmp_path: Path) -> None:
    """A thread of a library waits as long as a server likes; whoever typed the command does not."""
    script = (
        "import threading, time\n"
        "from reconciler.cli.main import main\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "main(['specs', '--json'])\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50
    )
    assert time.monotonic() - began < 30
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_the_last_words_are_there_before_the_process_ends(tmp_path: Path) -> None:
    """Through a pipe, which nobody flushes at its end for us."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "schema", "endpoints"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["$schema"]

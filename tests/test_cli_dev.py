"""`python -m worker dev` from end to end: real processes, real files, real signals."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cli import DevProcess, run
from tests.support.server import ROOT, WAIT_SECONDS
from tests.support.tools import tool
from worker.client.deliver import Answer, deliver
from worker.client.forms import Delivery, request_of
from worker.message import Form

pytestmark = pytest.mark.server

Dev = Callable[..., DevProcess]

EXTRA = """
from worker import Context, feature

@feature("extra")
def extra(context: Context) -> None:
    context.log.info("extra.ran", "version {version}")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the smoke test as its one handler, which a test may edit."""
    (tmp_path / "handlers").mkdir()
    for name in ("__init__.py", "smoke_test.py"):
        shutil.copy(ROOT / "handlers" / name, tmp_path / "handlers")
    return tmp_path


@pytest.fixture
def dev(home: Path) -> Iterator[Dev]:
    """Start `dev` in `home`. Whatever the test does, it leaves no process behind."""
    started = []
    with ExitStack() as stack:

        def start(*words: str, **more: str) -> DevProcess:
            started.append(stack.enter_context(DevProcess(home, words, more)))
            return started[-1]

        yield start
    assert [one.left() for one in started] == [[] for _ in started]


def push(port: int, feature: str, description: str = "") -> Answer:
    payload = json.dumps({"feature": feature, "description": description}).encode()
    return deliver(f"http://127.0.0.1:{port}/", request_of(Form.WRAPPED, Delivery(payload)))


def is_free(port: int) -> bool:
    """Whether nobody listens: each process of the server holds the listening socket."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_once_proves_and_stops(dev: Dev) -> None:
    once = dev("--once")
    port = once.port()
    assert once.wait() == 0, once.text()
    assert is_free(port)
    text = once.text()
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3} INFO     smoke_test\.passed  Smoke test passed", text)
    assert 'description="verify logs"' in text
    assert re.search(r"INFO     message\.processed  smoke_test: done in .* form=wrapped", text)
    assert text.index("message.processed") < text.index("the smoke test is done")
    assert "\x1b" not in text


def test_once_says_what_to_try_next(dev: Dev, home: Path) -> None:
    once = dev("--once")
    assert once.wait() == 0
    text = once.text().partition("Try next")[2]
    assert "worker dev\n" in text
    assert 'worker dev --env)"' in text
    assert "gcloud pubsub topics publish features --message=" in text
    assert "gcloud logging read " in text
    assert "quarantine/" in text
    assert "worker smoke" in text
    assert "worker features" in text
    assert "docs/handlers.md" in text
    assert "docs/local.md" in text


def test_once_leaves_no_state_behind(dev: Dev, home: Path) -> None:
    assert dev("--once").wait() == 0
    assert not (home / ".laptop-cloud").exists()


@pytest.mark.emulator  # for its gcloud
def test_the_commands_to_try_next_work_as_they_stand(dev: Dev, home: Path) -> None:
    kept = dev()
    kept.wait_for("waiting for a change")
    commands = [
        line.strip()
        for line in kept.text().partition("Try next")[2].splitlines()
        if re.match(r"  (eval|gcloud|\S+ -m worker) ", line)
    ]
    assert len(commands) == 7
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)}
    shown = subprocess.run(
        ["bash", "-euc", "\n".join(commands)], cwd=home, env=environment, capture_output=True,
        text=True, check=True, timeout=2 * WAIT_SECONDS,
    ).stdout  # fmt: skip
    assert "messageIds:" in shown
    assert '"event": "smoke_test.passed"' in shown
    assert "proved: feature-worker received, handled and logged it" in shown
    assert "SmokeTest" in shown
    assert "description=hi" in kept.wait_for("description=hi")
    assert "did you mean smoke_test?" in kept.wait_for("rejected")
    assert len(list((home / "quarantine").glob("*.json"))) == 1


def test_the_variables_lead_to_the_dev_that_runs_here(dev: Dev, home: Path) -> None:
    kept = dev("--port", "0", "--project", "other-project")
    line = kept.wait_for("laptop cloud on ")
    host = line.partition("http://")[2].partition("/")[0]
    kept.wait_for("waiting for a change")
    shown = subprocess.run(
        [sys.executable, "-m", "worker", "dev", "--env"], cwd=home, text=True, check=True,
        env={"PYTHONPATH": str(ROOT)}, capture_output=True,
    ).stdout  # fmt: skip
    assert f"export PUBSUB_EMULATOR_HOST={host}\n" in shown
    assert f"export CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING=http://{host}/\n" in shown
    assert "export CLOUDSDK_CORE_PROJECT=other-project\n" in shown
    assert kept.interrupt() == 0
    assert not (home / ".laptop-cloud" / "address.json").exists()


def test_without_a_dev_that_runs_the_variables_are_those_of_the_default(tmp_path: Path) -> None:
    shown = run("dev", "--env", "--state", str(tmp_path)).stdout.splitlines()
    assert "export CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://127.0.0.1:8085/" in shown
    assert all(line.startswith("export ") for line in shown)
    shown = run("dev", "--env", "--state", str(tmp_path), "--port", "9000").stdout.splitlines()
    assert "export PUBSUB_EMULATOR_HOST=127.0.0.1:9000" in shown


def test_what_is_published_while_the_worker_is_broken_is_handled_later(
    dev: Dev, home: Path
) -> None:
    kept = dev()
    kept.wait_for("waiting for a change")
    file = home / "handlers" / "extra.py"
    file.write_text("import nothing_of_that_name\n")
    kept.wait_for("error: cannot import handlers.extra")
    kept.wait_for("waiting for a change")
    publish(home, "extra", "while it was broken")
    assert kept.interrupt() == 0

    file.write_text(EXTRA.format(version=3))
    again = dev()
    assert "version 3" in again.wait_for("extra.ran")
    again.wait_for("waiting for a change")
    assert again.interrupt() == 0
    third = dev("--reset")
    third.wait_for("waiting for a change")
    assert "extra.ran" not in third.text()


def publish(home: Path, feature: str, description: str) -> None:
    """With our own command, in a shell of its own."""
    publish = f"python -m worker publish features --feature {feature} --description '{description}'"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-euc", f'eval "$(python -m worker dev --env)"; {publish}'], cwd=home, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": path}, capture_output=True, timeout=WAIT_SECONDS,
    )  # fmt: skip


def test_with_oidc_the_worker_verifies_tokens_that_are_really_signed(dev: Dev) -> None:
    once = dev("--once", PUSH_AUTH="oidc")
    assert once.wait() == 0, once.text()
    refused = dev("--once", PUSH_AUTH="oidc", PUSH_SERVICE_ACCOUNT="other@demo.example")
    assert refused.wait() == 1
    assert "belongs to another account" in refused.text()


@pytest.mark.emulator
def test_with_the_emulator_it_is_googles_that_pushes(dev: Dev, home: Path) -> None:
    kept = dev("--emulator")
    kept.wait_for("the smoke test is done")
    kept.wait_for("waiting for a change")
    publish(home, "smoke_test", "through the emulator")
    assert "through the emulator" in kept.wait_for('description="through')
    assert kept.interrupt() == 0


def test_once_without_a_smoke_test_fails(dev: Dev, home: Path) -> None:
    (home / "handlers" / "smoke_test.py").write_text(EXTRA.format(version=1))
    once = dev("--once")
    assert once.wait() == 1
    assert "error: the smoke test is not done: no handler is registered" in once.text()
    assert "Try next" not in once.text()


def test_once_with_a_handler_that_crashes_fails_and_shows_the_stack_trace(
    dev: Dev, home: Path
) -> None:
    source = EXTRA.replace('"extra"', '"smoke_test"') + "    raise ZeroDivisionError\n"
    (home / "handlers" / "smoke_test.py").write_text(source.format(version=1))
    once = dev("--once")
    assert once.wait() == 1
    assert "\n    Traceback (most recent call last):\n" in once.text()
    assert "\n    ZeroDivisionError\n" in once.text()


def test_once_with_a_broken_handler_says_so_in_one_line(dev: Dev, home: Path) -> None:
    (home / "handlers" / "broken.py").write_text("import nothing_of_that_name\n")
    once = dev("--once")
    assert once.wait() == 1
    (error,) = [line for line in once.lines if line.startswith("error: ")]
    assert "cannot import handlers.broken: ModuleNotFoundError" in error
    assert "Traceback" not in once.text()


def test_settings_that_would_hide_the_proof_are_set_aside(dev: Dev) -> None:
    once = dev("--once", LOG_SINK="api", LOG_LEVEL="ERROR", PORT="")
    assert once.wait() == 0, once.text()
    assert "smoke_test.passed" in once.text()


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_a_port_that_is_taken_is_one_line(dev: Dev, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        there = dev(option, port)
        assert there.wait() == 2
    (line,) = there.lines
    assert line.startswith(f"error: cannot listen on 127.0.0.1:{port}: ")


def test_the_workers_port_that_is_taken_is_one_line(dev: Dev) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        there = dev(PORT=port)
        assert there.wait() == 2
    (line,) = [line for line in there.lines if line.startswith("error: ")]
    assert line.startswith(f"error: cannot listen on 127.0.0.1:{port}: Address already in use")


def test_the_usual_port_that_is_taken_gives_way_to_a_free_one(dev: Dev) -> None:
    hosts = set()
    for state in ("one", "two"):
        there = dev("--state", state)
        hosts.add(there.wait_for("laptop cloud on ").split()[3])
        there.wait_for("waiting for a change")
    assert len(hosts) == 2


def test_a_setting_that_cannot_be_is_one_line(dev: Dev) -> None:
    there = dev(WORKERS="many")
    assert there.wait() == 2
    assert there.lines[1:] == ["error: WORKERS is 'many' (want 1 to 64)\n"]


def test_a_changed_new_and_deleted_handler_take_effect_on_the_same_port(
    dev: Dev, home: Path
) -> None:
    file = home / "handlers" / "extra.py"
    kept = dev()
    port = kept.port()
    kept.wait_for("waiting for a change")
    assert push(port, "extra").outcome == "rejected"

    file.write_text(EXTRA.format(version=1))
    assert f"{os.path.relpath(file, home)} changed" in kept.wait_for(" changed: starting again")
    assert "serving 2 features" in kept.wait_for(f"ready on http://127.0.0.1:{port},")
    kept.wait_for("waiting for a change")
    assert push(port, "extra").outcome == "done"
    assert "version 1" in kept.wait_for("extra.ran")

    file.write_text(EXTRA.format(version=2))
    kept.wait_for(f"ready on http://127.0.0.1:{port},")
    assert push(port, "extra").outcome == "done"
    assert "version 2" in kept.wait_for("extra.ran")

    file.unlink()
    assert "serving 1 feature\n" in kept.wait_for(f"ready on http://127.0.0.1:{port},")
    assert push(port, "extra").outcome == "rejected"
    assert kept.text().count("the smoke test is done") == 1
    # An edit within the second of a .pyc would be missed.
    assert list((home / "handlers").rglob("*.pyc")) == []


def test_a_change_in_a_folder_of_the_handlers_is_seen_too(dev: Dev, home: Path) -> None:
    (home / "handlers" / "extra").mkdir()
    (home / "handlers" / "extra" / "__init__.py").touch()
    kept = dev()
    kept.wait_for("waiting for a change")
    (home / "handlers" / "extra" / "deep.py").write_text(EXTRA.format(version=1))
    assert "serving 2 features" in kept.wait_for("ready on ")


def test_handlers_elsewhere_are_watched(dev: Dev, home: Path) -> None:
    (home / "handlers").rename(home / "mine")
    kept = dev(HANDLERS="mine")
    kept.wait_for("waiting for a change")
    (home / "mine" / "extra.py").write_text(EXTRA.format(version=1))
    assert "serving 2 features" in kept.wait_for("ready on ")


def test_a_package_of_handlers_that_is_not_there_is_one_line(dev: Dev) -> None:
    there = dev(HANDLERS="no.such_package")
    assert there.wait() == 2
    (line,) = there.lines
    assert line.startswith("error: no package no.such_package here")


def test_a_change_in_the_worker_itself_is_seen(home: Path) -> None:
    shutil.copytree(ROOT / "worker", home / "worker", ignore=shutil.ignore_patterns("__py*"))
    with DevProcess(home, (), {"PYTHONPATH": str(home)}) as kept:
        kept.wait_for("waiting for a change")
        with (home / "worker" / "payload.py").open("a") as file:
            file.write("# changed\n")
        assert "worker/payload.py" in kept.wait_for(" changed: starting again")
        kept.wait_for("ready on ")
    assert kept.left() == []


def test_a_broken_handler_is_one_line_and_dev_waits_for_it_to_be_mended(
    dev: Dev, home: Path
) -> None:
    file = home / "handlers" / "extra.py"
    file.write_text("import nothing_of_that_name\n")
    kept = dev()
    kept.wait_for("error: cannot import handlers.extra: ModuleNotFoundError")
    kept.wait_for("waiting for a change")
    file.write_text(EXTRA.format(version=1))
    port = kept.port()
    kept.wait_for("the smoke test is done")  # at the first start that gets there
    kept.wait_for("waiting for a change")
    file.write_text("raise ValueError('gone')\n")
    kept.wait_for("error: cannot import handlers.extra: ValueError: gone")
    kept.wait_for("waiting for a change")
    file.write_text(EXTRA.format(version=2))
    kept.wait_for(f"ready on http://127.0.0.1:{port},")
    assert "Traceback" not in kept.text()


def test_a_server_that_dies_is_reported_and_started_again_by_a_change(dev: Dev, home: Path) -> None:
    file = home / "handlers" / "extra.py"
    killing = EXTRA + "    import os, signal; os.kill(os.getppid(), signal.SIGKILL)\n"
    file.write_text(killing.format(version=1))
    kept = dev()
    port = kept.port()
    kept.wait_for("waiting for a change")
    push(port, "extra")
    kept.wait_for("the server ended with exit code -9")
    file.write_text(EXTRA.format(version=2))
    kept.wait_for(f"ready on http://127.0.0.1:{port},")


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_stops_everything_cleanly(dev: Dev, number: int) -> None:
    kept = dev()
    port = kept.port()
    kept.wait_for("waiting for a change")
    assert kept.left() != []
    assert kept.interrupt(number) == 0
    assert "Traceback" not in kept.text()
    assert "Aborted" not in kept.text()
    assert is_free(port)
    assert kept.left() == []


def test_an_interrupt_while_the_server_starts_stops_everything(dev: Dev, home: Path) -> None:
    source = "import os, signal\nos.write(1, b'importing\\n')\nsignal.pause()\n"
    (home / "handlers" / "slow.py").write_text(source)
    kept = dev()
    kept.wait_for("importing")
    assert kept.interrupt() == 0
    assert "Traceback" not in kept.text()
    assert kept.left() == []


@needs_proc
def test_what_a_handler_started_is_ended_too(dev: Dev, home: Path) -> None:
    source = "import subprocess\nCHILD = subprocess.Popen(['sleep', '1000'])\n"
    (home / "handlers" / "child.py").write_text(source)
    kept = dev()
    kept.wait_for("waiting for a change")
    running = len(kept.left())
    (home / "handlers" / "child.py").unlink()
    kept.wait_for("waiting for a change")
    assert len(kept.left()) == running - 1
    assert kept.interrupt() == 0
    assert kept.left() == []


def test_once_that_is_interrupted_has_not_proved_anything(dev: Dev, home: Path) -> None:
    source = "import os, signal\nos.write(1, b'importing\\n')\nsignal.pause()\n"
    (home / "handlers" / "slow.py").write_text(source)
    once = dev("--once")
    once.wait_for("importing")
    assert once.interrupt() == 1


@pytest.mark.parametrize("closed_at", ["listening on", "waiting for a change"])
def test_output_that_nobody_reads_any_more_ends_it(home: Path, closed_at: str) -> None:
    read, write = os.pipe()
    with DevProcess(home, output=write) as there:
        os.close(write)
        with os.fdopen(read) as reader:
            text = ""
            while closed_at not in text:
                text += reader.readline()
        if port := re.search(r"ready on http://127\.0\.0\.1:(\d+)", text):
            push(int(port[1]), "smoke_test")  # its entry finds the output closed
        assert there.wait() == 0
    assert there.left() == []


def test_payloads_and_printed_lines_cannot_act_on_the_terminal(dev: Dev, home: Path) -> None:
    source = EXTRA + "    import os; os.write(1, b'printed \\x1b[2J\\n')\n"
    (home / "handlers" / "extra.py").write_text(source.format(version=1))
    kept = dev()
    port = kept.port()
    assert push(port, "smoke_test", "\x1b[2J\u202e\nhi").outcome == "done"
    assert r"description=\x1b[2J\u202e\nhi" in kept.wait_for(r"description=\x1b")
    push(port, "extra")
    assert kept.wait_for("printed") == "printed \\x1b[2J\n"
    assert "\x1b" not in kept.text()


def on_a_terminal(home: Path, **more: str) -> str:
    """What `dev --once` writes to a terminal."""
    master, slave = os.openpty()
    there = DevProcess(home, ("--once",), {"TERM": "xterm-256color", **more}, output=slave)
    os.close(slave)
    written = b""
    try:
        while chunk := os.read(master, 65536):
            written += chunk
    except OSError:
        pass  # Linux says so when the other side is closed
    os.close(master)
    assert there.wait() == 0
    return written.decode()


COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]")


def test_there_is_colour_on_a_terminal_unless_no_color_is_set(home: Path) -> None:
    assert COLOUR.search(on_a_terminal(home))
    assert not COLOUR.search(on_a_terminal(home, NO_COLOR="1"))


@pytest.mark.parametrize("missing", ["rich", "watchfiles"])
def test_a_missing_package_is_one_line_that_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    result = run("dev", "--once")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: dev needs {missing}: pip install -r requirements-dev.txt\n"


def test_make_run_is_this_command() -> None:
    printed = subprocess.run(
        [tool("make"), "--dry-run", "run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "worker dev --once" in printed

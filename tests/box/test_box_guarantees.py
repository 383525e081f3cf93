"""What can a program in a box do? Each test tries to break one guarantee from inside.

They run in every kind of box that this grader can make; `test_box_stages` runs them again as an
ordinary user and as root in a container.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autograder.core.assignment import Assignment
from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind, Ending, Finding, Guarantee, Isolation
from autograder.sandbox.box import Box, guarantees
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe
from autograder.sandbox.box.limits import ControlGroup, Watchdog
from tests.box.conftest import PROGRAM_SECONDS, Lab

TRY = """
def refused(action):
    try:
        action()
    except (OSError, PermissionError) as error:
        return True
    return False
"""


def test_an_honest_program_works(lab: Lab) -> None:
    run = lab.run(
        "import os, subprocess, tempfile, numpy\n"
        "open('note.txt', 'w').write('x')\n"
        "os.chmod('note.txt', 0o600)\n"
        "open(os.path.expanduser('~/settings'), 'w').write('x')\n"
        "tempfile.NamedTemporaryFile().write(b'x')\n"
        "said = subprocess.run('echo hi', shell=True, capture_output=True, text=True).stdout\n"
        "answer = [said, int(numpy.ones(3).sum()), os.listdir('.'), os.umask(0)]\n"
    )
    assert run.answer == ["hi\n", 3, ["note.txt"], 0o077], run.stderr


def test_multiprocessing_works(lab: Lab) -> None:
    if lab.kind is BoxKind.PLAIN:
        pytest.skip("a plain box has no shared memory of its own, so multiprocessing has no locks")
    run = lab.run(
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool: answer = pool.map(abs, [-1])\n"
    )
    assert run.answer == [1], run.stderr


def test_hidden_files_cannot_be_read(lab: Lab, root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    results = tmp_path / "grades.csv"
    results.write_text("secret")
    results.chmod(0o644)
    secrets = [
        root / "assignment/data/mnist.npz",
        root / "dist/tests/accuracy.py",
        root / "solutions/reference.ipynb",
        root / "otter_config.json",
        root / "autograder/cli/__init__.py",
        Path(__file__),
        results,
    ]
    assert all(path.read_bytes() for path in secrets)
    run = lab.run(
        TRY + f"paths = {[str(path) for path in secrets]!r}\n"
        "answer = [path for path in paths if not refused(lambda: open(path).read(1))]\n"
    )
    assert run.answer == [], run.stderr


def test_other_submissions_cannot_be_read(lab: Lab) -> None:
    with lab.box() as other:
        (other.scratch.work / "m5.ipynb").write_text("mine")
        run = lab.run(
            TRY + f"path = {str(other.scratch.work / 'm5.ipynb')!r}\n"
            "answer = [refused(lambda: open(path).read()), refused(lambda: open(path, 'w'))]\n"
        )
    assert run.answer == [True, True], run.stderr


def test_the_environment_is_not_the_graders(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADESCOPE_TOKEN", "sesame-open")
    run = lab.run(
        "import os\nfound = dict(os.environ)\n"
        "for pid in os.listdir('/proc'):\n"
        "    if pid.isdigit() and int(pid) != os.getpid():\n"
        "        try: found[pid] = open(f'/proc/{pid}/environ').read()\n"
        "        except OSError: pass\n"
        "answer = 'sesame-open' in str(found)\n"
    )
    assert run.answer is False, run.stderr


def test_memory_of_the_grader_is_closed(lab: Lab) -> None:
    run = lab.run(
        TRY + "import ctypes\n"
        f"grader = {os.getpid()}\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "class Span(ctypes.Structure):\n"
        "    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
        "here = ctypes.create_string_buffer(8)\n"
        "mine = Span(ctypes.addressof(here), 8)\n"
        f"theirs = Span({id(sys)}, 8)\n"
        "answer = {\n"
        "  'ptrace': libc.ptrace(16, grader, 0, 0),\n"
        "  'read': libc.process_vm_readv(grader, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0),\n"
        "  'mem': refused(lambda: open(f'/proc/{grader}/mem', 'rb').read(1)),\n"
        "}\n"
    )
    assert run.answer == {"ptrace": -1, "read": -1, "mem": True}, run.stderr


def test_nothing_outside_can_be_written(lab: Lab, root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    folders = ["/", "/usr", "/etc", "/opt", "/root", "/home", "/tmp", "/var/tmp", "/run", "/srv"]
    folders += ["/dev/shm"] if lab.kind is BoxKind.PLAIN else []
    places = [*folders, str(tmp_path), str(root), sys.prefix, str(lab.toolbox.root)]
    site = [path for path in sys.path if path.endswith("site-packages")]
    marks = [Path(place, f"m5-mark-{time.time_ns()}") for place in places + site]
    files = [lab.toolbox.data, Path(__file__)]
    before = [path.stat() for path in files]
    lab.run(
        "import os\nanswer = 1\n"
        f"for mark in {[str(mark) for mark in marks]!r}:\n"
        "    try: open(mark, 'w').write('x')\n"
        "    except OSError: pass\n"
        f"for path in {[str(path) for path in files]!r}:\n"
        "    for action in (os.unlink, lambda p: os.chmod(p, 0), lambda p: os.utime(p, (0, 0)),\n"
        "                   lambda p: os.fchmod(os.open(p, 0), 0), lambda p: open(p, 'a').write('x'),\n"
        "                   lambda p: os.setxattr(p, 'user.x', b'x'), lambda p: os.truncate(p, 0)):\n"
        "        try: action(path)\n"
        "        except OSError: pass\n"
    )
    left = [mark for mark in marks if mark.exists()]
    for mark in left:
        mark.unlink()
    assert left == []
    after = [path.stat() for path in files]
    assert [(s.st_mode, s.st_size, s.st_mtime_ns) for s in after] == [
        (s.st_mode, s.st_size, s.st_mtime_ns) for s in before
    ]


def test_there_are_no_network_sockets(lab: Lab) -> None:
    run = lab.run(
        TRY + "import socket\nmade = []\n"
        "for family, kind in (\n"
        "    ('AF_INET', 'SOCK_STREAM'), ('AF_INET', 'SOCK_DGRAM'), ('AF_INET6', 'SOCK_STREAM'),\n"
        "    ('AF_INET6', 'SOCK_DGRAM'), ('AF_NETLINK', 'SOCK_RAW'), ('AF_PACKET', 'SOCK_RAW'),\n"
        "    ('AF_VSOCK', 'SOCK_STREAM'),\n"
        "):\n"
        "    make = lambda: socket.socket(getattr(socket, family), getattr(socket, kind))\n"
        "    if not refused(make): made.append(family)\n"
        "answer = made\n"
    )
    assert run.answer == [], run.stderr


def test_listeners_of_this_machine_cannot_be_reached(lab: Lab, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "s"
    with (
        socket.socket() as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        tcp.bind(("127.0.0.1", 0))
        unix.bind(str(path))
        path.chmod(0o777)
        name = f"m5-test-{time.time_ns()}"
        abstract.bind(f"\0{name}")
        for listener in (tcp, unix, abstract):
            listener.listen(1)
        run = lab.run(
            TRY + "import socket\n"
            f"tcp = ('127.0.0.1', {tcp.getsockname()[1]})\n"
            "answer = [\n"
            "  refused(lambda: socket.create_connection(tcp, 2)),\n"
            f"  refused(lambda: socket.socket(socket.AF_UNIX).connect({str(path)!r})),\n"
            f"  refused(lambda: socket.socket(socket.AF_UNIX).connect('\\0{name}')),\n"
            "]\n"
        )
    assert run.answer == [True, True, True], run.stderr


LANDLOCK_ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import enter, socket
listener = socket.create_server(("127.0.0.1", 0))
enter.checked(enter.libc.prctl(enter.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
try:
    print(enter.lock_landlock(["/"], []))
except OSError:
    print(0)
for act in (
    lambda: socket.create_connection(listener.getsockname(), 5),
    lambda: socket.create_server(("127.0.0.1", 0)),
):
    try:
        act()
    except PermissionError:
        print("refused")
"""


def test_landlock_alone_keeps_from_connecting_and_listening(root: Path) -> None:
    """The second lock: in a box the filter of system calls lets no socket be made at all."""
    inside = str(root / "autograder/sandbox/inside")
    done = subprocess.run(
        [sys.executable, "-c", LANDLOCK_ALONE, inside], capture_output=True, text=True
    )
    abi, *said = done.stdout.split()
    if int(abi) < 4:
        pytest.skip(f"Landlock {abi} knows no sockets: that takes Linux 6.7")
    assert said == ["refused"] * 2, done.stderr


def test_io_uring_is_no_way_round(lab: Lab) -> None:
    run = lab.run(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "answer = libc.syscall(425, 8, ctypes.create_string_buffer(256))\n"
    )
    assert run.answer == -1, run.stderr


def test_the_grader_cannot_be_signalled(lab: Lab) -> None:
    bystander = psutil.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        lab.run(
            "import os, signal\nanswer = None\n"
            f"for pid in ({os.getpid()}, {os.getppid()}, {bystander.pid}, -{os.getpgrp()}):\n"
            "    for number in (signal.SIGTERM, signal.SIGKILL):\n"
            "        try: os.kill(pid, number)\n"
            "        except OSError: pass\n"
        )
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_it_is_not_root_and_cannot_become_it(lab: Lab) -> None:
    run = lab.run(
        "import ctypes, os\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "answer = {\n"
        "  'capabilities': [int(status[f'Cap{kind}'], 16) for kind in ('Inh', 'Prm', 'Eff', 'Amb')],\n"
        "  'no_new_privs': int(status['NoNewPrivs']),\n"
        "  'unshare user': libc.unshare(0x10000000),\n"
        "  'unshare mount': libc.unshare(0x20000),\n"
        "  'chroot': libc.chroot(b'.'),\n"
        "  'mount': libc.mount(b'none', b'.', b'tmpfs', 0, None),\n"
        "}\n"
    )
    assert run.answer == {
        "capabilities": [0, 0, 0, 0],
        "no_new_privs": 1,
        "unshare user": -1,
        "unshare mount": -1,
        "chroot": -1,
        "mount": -1,
    }, run.stderr


def test_limits_cannot_be_raised_again(lab: Lab) -> None:
    run = lab.run(
        "import resource\n"
        "found = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource)\n"
        "         if name.startswith('RLIMIT_')}\n"
        "answer = {name: limit for name, limit in found.items() if limit[0] != limit[1]}\n"
    )
    ours = {"RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_DATA", "RLIMIT_CORE"}
    assert not ours & set(run.answer), run.answer


def test_groups_of_the_grader_are_given_up(lab: Lab) -> None:
    if os.geteuid() != 0 or lab.kind is BoxKind.PLAIN or lab.zygote is not None:
        pytest.skip("only root's started boxes run as a user with other groups")
    before = os.getgroups()
    os.setgroups([*before, 4242])
    try:
        run = lab.run("import os\nanswer = os.getgroups()\n")
    finally:
        os.setgroups(before)
    assert run.answer == [], run.stderr


def test_daemons_end_with_the_box(lab: Lab) -> None:
    token = f"m5daemon{time.time_ns()}"
    with lab.box() as box:
        lab.start(
            box,
            "import os, subprocess, sys, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        code = 'import time, signal; signal.signal(15, signal.SIG_IGN);'\n"
            '        code += \'open("ready", "w"); time.sleep(600)\'\n'
            f"        os.execv(sys.executable, [sys.executable, '-c', code, '{token}'])\n"
            "    os._exit(0)\n"
            "while not os.path.exists('ready') or not os.path.exists('seen'): time.sleep(0.02)\n"
            "answer = 1\n",
        )
        deadline = time.monotonic() + PROGRAM_SECONDS
        while not _running(token):
            assert time.monotonic() < deadline, "the daemon did not start, so nothing is tested"
            time.sleep(0.02)
        (box.scratch.work / "seen").touch()
        assert lab.wait(box).answer == 1
    assert not _running(token)


def _running(token: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if token in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def public_names() -> set[str]:
    """What lies where everybody may write."""
    folders = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]
    return {path.name for folder in folders if folder.is_dir() for path in folder.iterdir()}


def test_nothing_is_left_for_the_next(lab: Lab) -> None:
    before = public_names()
    poison = (
        "import os, pathlib, site\nhome = pathlib.Path.home()\nanswer = 1\n"
        "for path in ('.keras/keras.json', '.ipython/profile_default/startup/0.py',\n"
        "             '.config/matplotlib/matplotlibrc', '.jupyter/jupyter_config.py',\n"
        "             '.local/lib/python3/site-packages/usercustomize.py'):\n"
        "    (home / path).parent.mkdir(parents=True, exist_ok=True)\n"
        "    (home / path).write_text('poison')\n"
        "for folder in ('/tmp', '/var/tmp', '/dev/shm', '.'):\n"
        "    try: open(os.path.join(folder, 'm5-poison'), 'w').write('x')\n"
        "    except OSError: pass\n"
        "os.makedirs('/'.join(['deep'] * 50)); os.chmod('deep', 0)\n"
    )
    first = lab.run(poison)
    assert first.answer == 1, first.stderr
    assert not first.root.exists()
    assert not {name for name in public_names() - before if "poison" in name}
    second = lab.run(
        "import os, pathlib\n"
        "answer = [str(p) for p in pathlib.Path.home().rglob('*')] + os.listdir('.')\n"
        "answer += [n for n in ('/tmp/m5-poison', '/dev/shm/m5-poison') if os.path.exists(n)]\n"
    )
    assert second.answer == [], second.stderr


MEGABYTE = 1 << 20


@pytest.mark.parametrize(("megabytes", "breach"), [(250, None), (900, Ending.OUT_OF_MEMORY)])
def test_memory_is_bounded(lab: Lab, megabytes: int, breach: Ending | None) -> None:
    run = lab.run(
        f"import time\nheld = [bytearray({MEGABYTE}) for _ in range({megabytes})]\n"
        f"time.sleep({60 if breach else 0.5})\nanswer = len(held)\n",
        memory_bytes=512 * MEGABYTE,
    )
    assert (run.breach, run.answer) == (breach, None if breach else megabytes), run.stderr


def test_memory_of_children_counts_together(lab: Lab) -> None:
    run = lab.run(
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        f"        held = bytearray(os.urandom(1)) * {220 * MEGABYTE}\n"
        "        time.sleep(60); os._exit(0)\n"
        "os.wait()\nanswer = 1\n",  # where the limit is met by one of them alone
        memory_bytes=512 * MEGABYTE,
    )
    assert run.breach is Ending.OUT_OF_MEMORY, run.stderr


@pytest.mark.parametrize(("children", "inside"), [(15, True), (150, False)])
def test_processes_are_bounded(lab: Lab, children: int, inside: bool) -> None:
    with lab.box(processes=40) as box:
        lab.start(
            box,
            "import os, time\nstarted = 0\n"
            f"for _ in range({children}):\n"
            "    try:\n"
            "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
            "    except OSError: break\n"
            "    started += 1\n"
            "time.sleep(1)\nanswer = started\n",
        )
        run = lab.wait(box)
    if inside:
        assert (run.breach, run.answer) == (None, children), run.stderr
    else:
        assert run.breach is Ending.TOO_MANY_PROCESSES or (run.answer or 0) <= 40, run.stderr


@pytest.mark.parametrize(("extra", "written"), [(0, True), (1, False)])
def test_files_are_bounded(lab: Lab, extra: int, written: bool) -> None:
    size = MEGABYTE + extra
    run = lab.run(
        "import os\nhandle = os.open('f', os.O_CREAT | os.O_WRONLY)\nleft = "
        f"{size}\n"
        "try:\n"
        "    while left: left -= os.write(handle, b'x' * left)\n"
        "except OSError: pass\n"
        "answer = left == 0\n",
        file_bytes=MEGABYTE,
    )
    assert run.answer is written, run.stderr


@pytest.mark.parametrize(("folder", "files"), [(".", 5), (".", 12), ("~", 12), ("/dev/shm", 12)])
def test_disk_is_bounded(lab: Lab, folder: str, files: int) -> None:
    if folder == "/dev/shm" and lab.kind is BoxKind.PLAIN:
        pytest.skip("a plain box cannot write there at all, which another test shows")
    run = lab.run(
        "import os, time\n"
        f"folder = os.path.expanduser({folder!r})\n"
        f"for n in range({files}): open(f'{{folder}}/m5-{{n}}', 'wb').write(b'x' * {MEGABYTE})\n"
        f"time.sleep({60 if files > 8 else 1.5})\nanswer = 1\n",
        scratch_bytes=8 * MEGABYTE,
    )
    assert run.breach is (Ending.DISK_FULL if files > 8 else None), run.stderr


def test_a_path_of_python_with_dots_weakens_no_box(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lab.zygote is not None:
        pytest.skip("the zygote was started before")
    # As Python 3.10 has it where a command names it so: by way of a folder that no box has.
    monkeypatch.setattr(
        sys, "executable", f"{tmp_path}/{os.path.relpath(sys.executable, tmp_path)}"
    )
    assert lab.run("answer = 1\n").answer == 1


def test_a_limit_of_memory_that_was_not_tried_is_not_said_to_hold_by_trial(
    isolation: Isolation,
) -> None:
    """To try it takes seconds, which grading does not spend; the doctor does."""
    reasons = {finding.guarantee: finding.reason for finding in isolation.findings}
    assert reasons[Guarantee.MEMORY_BOUNDED].startswith("not tried here")
    del reasons[Guarantee.MEMORY_BOUNDED]
    assert not any(reason.startswith("not tried") for reason in reasons.values())


def test_the_doctor_has_tried_every_guarantee(
    lab: Lab, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lab.zygote is not None:
        pytest.skip("the doctor starts its boxes")

    def look() -> dict[Guarantee, Finding]:
        found = probe(
            limits=lab.limits,
            toolbox=lab.toolbox,
            secret_files=assignment.secret_files,
            kinds=[lab.kind],
            try_memory=True,
        )
        return {finding.guarantee: finding for finding in found.findings}

    findings = look()
    assert set(findings) == set(Guarantee)
    lacking = {Guarantee.ENDS_WHOLE} if lab.kind is BoxKind.PLAIN else set()
    assert {g for g, finding in findings.items() if not finding.held} == lacking
    with monkeypatch.context() as patch:
        # Nobody ends what is left, and no limit is set.
        patch.setattr(Watchdog, "start", lambda watchdog, watched: None)
        patch.setattr(ControlGroup, "create", lambda **limits: None)
        assert not look()[Guarantee.MEMORY_BOUNDED].held


def test_what_went_on_or_was_not_answered_is_not_said_to_hold(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*, try_memory: bool = False) -> dict[Guarantee, Finding]:
        limits, kinds = assignment.config.limits, [isolation.kind]
        found = probe(
            limits=limits, toolbox=toolbox, secret_files=[], kinds=kinds, try_memory=try_memory
        )
        return {finding.guarantee: finding for finding in found.findings}

    with monkeypatch.context() as patch:
        patch.setattr(guarantees, "_what_daemon_left", lambda pipe: "a daemon went on")
        assert not look()[Guarantee.ENDS_WHOLE].held
    with monkeypatch.context() as patch:
        # It ended without having taken all, and not for its memory, as far as anybody knows.
        patch.setattr(Box, "breach", None)
        assert not look(try_memory=True)[Guarantee.MEMORY_BOUNDED].held
    monkeypatch.setitem(guarantees.ATTEMPTS, "an attempt that nobody made", Guarantee.NO_PRIVILEGES)
    with pytest.raises(BoxError, match="the self-test gave no answer"):
        look()

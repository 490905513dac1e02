"""Processes that have imported the libraries before they are needed.

A notebook needs ten seconds of imports before its first line. A `Host` is a process that imports
once and forks itself whenever one is asked for: for a notebook's executor and for its kernel. Of
fkp itself a fork keeps nothing, so that edited code counts from the next notebook on.

Who asks holds one end of a socket and the fork the other: a fork ends when that end is closed, so
nothing outlives the one that asked, however it ends.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from functools import cache, cached_property
from multiprocessing.connection import Client, Connection, wait
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# What a fork finds imported. On macOS the system's libraries do not survive a fork. Not among them:
# matplotlib_inline.backend_inline, which shows figures only in the kernel that imports it.
_LIBRARIES = (
    *("numpy", "pandas", "matplotlib.pyplot", "cv2", "PIL"),
    *("scipy.stats", "scipy.ndimage", "sklearn.linear_model", "sklearn.neighbors", "keras"),
    *("IPython", "ipykernel.kernelapp", "nbclient", "nbconvert", "papermill", "psutil", "rich"),
)
LIBRARIES = () if sys.platform == "darwin" else _LIBRARIES


class Fork:
    """A process forked by a host; stands in for `subprocess.Popen` where Jupyter wants one.

    Args:
        address: of the host's socket.
        call: "module:function", called in the fork with `arguments`, which are JSON.
        env: variables of the fork beside the host's.
        log: file to which its output is appended.
    """

    stdin = stdout = stderr = None

    def __init__(self, address, call, arguments, *, env=None, log=os.devnull, cwd=PACKAGE_ROOT):
        self.answer = self.returncode = self.pid = None
        self._pipe = Client(str(address), "AF_UNIX")
        _send(self._pipe, [call, arguments, env or {}, str(log), str(cwd)])
        self._read(None)
        if self.pid is None:
            raise OSError("the process that starts notebooks has ended")

    def poll(self):
        """None while it runs, then its status, negative for the signal that ended it."""
        while self.returncode is None and self._read(0):
            pass
        return self.returncode

    def wait(self, timeout=None):
        """Its status; TimeoutError if it still runs after `timeout` seconds."""
        ends = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            if not self._read(left):
                raise TimeoutError
        return self.returncode

    def _read(self, timeout):
        """Take in what it says next, its pid, answer or returncode; False if nothing came."""
        try:
            if not self._pipe.poll(timeout):
                return False
            said = json.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            said = {"returncode": -signal.SIGKILL}
        vars(self).update(said)
        return True

    def send_signal(self, number):
        """Send a signal to the process."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self):
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """End it, and what it has started."""
        with contextlib.suppress(OSError):
            _send(self._pipe, "end")

    def close(self):
        """End it, without waiting."""
        self._pipe.close()


class Host:
    """The process that forks; it starts at the first `fork` and ends with this one.

    Args:
        env: variables of the host and its forks beside this process's.
    """

    def __init__(self, env: dict[str, str] | None = None):
        self.env, self._process, self._folder = env or {}, None, None
        self._lock = threading.Lock()

    def fork(self, call: str, arguments: dict, **options: object) -> Fork:
        """A `Fork`; a host that was lost is started again."""
        return Fork(self._started(), call, arguments, **options)

    @cached_property
    def device(self) -> str | None:
        """What Keras computes on, see `fkp.record.machine.device`; None if that is not known."""
        fork = self.fork("fkp.record.machine:device", {})
        fork.wait()
        return fork.answer

    def _started(self):
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._folder = tempfile.TemporaryDirectory(prefix="fkp-")
                env = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
                env = {"TF_CPP_MIN_LOG_LEVEL": "3"} | env | self.env
                env.pop("JPY_PARENT_PID", None)  # of a notebook that started this
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "fkp.record.forks", self._address, *LIBRARIES],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=PACKAGE_ROOT,
                    env=env,
                    start_new_session=True,
                )
            while not self._address.exists():
                if self._process.poll() is not None:
                    raise OSError("the process that starts notebooks does not start")
                time.sleep(0.01)
            return self._address

    @property
    def _address(self):
        return Path(self._folder.name, "host")

    def close(self):
        """End the host and all its forks."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._folder.cleanup()
            self._process = None


def threads(share: int | None) -> dict[str, str]:
    """The variables that hold a process to a number of threads; None: no variable."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {} if share is None else dict.fromkeys(names, str(max(1, share)))


@cache
def worker_host() -> Host:
    """The host of a Dask worker, in its process: forks of one thread, which know the scheduler."""
    from distributed import get_worker

    return Host(threads(1) | {"FKP_SCHEDULER": get_worker().scheduler.addr})


def serve(address: str, *libraries: str) -> None:
    """Be a host: import, then fork for each connection, until standard input ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(128)
    Path(f"{address}.new").rename(address)
    os.environ["FKP_HOST"] = address
    for name in libraries:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    forks = {}
    while True:
        ready = wait([sys.stdin, listener, woken])
        if woken in ready:
            woken.recv(4096)
            _reap(forks)
        if listener in ready:
            asked = Connection(listener.accept()[0].detach())
            if not (job := _job(asked)):
                asked.close()
            elif pid := os.fork():
                forks[pid] = asked
            else:
                signal.set_wakeup_fd(-1)
                for other in (listener, woken, wake, *forks.values()):
                    other.close()
                _become(asked, *job)
        if sys.stdin in ready and not os.read(0, 4096):
            os._exit(0)


def _send(pipe, value):
    pipe.send_bytes(json.dumps(value).encode())


def _job(asked):
    """What a `Fork` has sent; None if nothing came."""
    with contextlib.suppress(OSError, EOFError):
        return json.loads(asked.recv_bytes()) if asked.poll(10) else None


def _reap(forks):
    """Tell those who asked how their forks have ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with contextlib.suppress(OSError, KeyError), forks.pop(pid) as asked:
                _send(asked, {"returncode": os.waitstatus_to_exitcode(status)})


def _become(asked, call, arguments, env, log, cwd):
    """What a fork does; it never returns."""
    status = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ |= env
        os.chdir(cwd)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()  # or all forks would draw alike
        forget_fkp()
        _send(asked, {"pid": os.getpid()})
        threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
        module, function = call.split(":")
        answer = getattr(importlib.import_module(module), function)(**arguments)
        _send(asked, {"answer": answer})
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def forget_fkp() -> None:
    """Drop fkp's modules: who imports them next reads them anew."""
    for name in [name for name in sys.modules if name.split(".")[0] == "fkp"]:
        del sys.modules[name]


def _end_with(asked):
    """Wait until the other side has gone, then end this process and all that it has started."""
    with contextlib.suppress(OSError, EOFError):
        asked.recv_bytes()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    serve(*sys.argv[1:])

"""A notebook's kernel as a fork of the host, see `fkp.record.forks`."""

import json
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from fkp.record.forks import Fork, forget_fkp

_NAME, _GROUP = "fkp-fork", "jupyter_client.kernel_provisioners"


class Forked(LocalProvisioner):
    """Starts a kernel by asking the host that this process was forked from."""

    async def launch_kernel(self, cmd: list[str], **kwargs: object) -> dict:
        """Fork a kernel; see `KernelProvisionerBase.launch_kernel`."""
        self.process = Fork(
            os.environ["FKP_HOST"],
            "fkp.study.kernel:run",
            {"argv": cmd[3:], "paths": kwargs["env"]["PYTHONPATH"].split(os.pathsep)},
            env=kwargs["env"],
            log=os.environ["FKP_LOG"],
            cwd=kwargs.get("cwd") or Path.cwd(),
        )
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def write_spec(folder: Path) -> None:
    """A kernel, python3, that is this very Python, whatever kernels the user has installed."""
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[_NAME] = EntryPoint(_NAME, f"{__name__}:{Forked.__name__}", _GROUP)
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "fkp",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": _NAME}},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


def run(argv: list[str], paths: list[str]) -> None:
    """Be a kernel until it is shut down.

    Args:
        argv: of `python -m ipykernel_launcher`.
        paths: where imports look first.
    """
    from ipykernel.kernelapp import IPKernelApp

    forget_fkp()
    sys.path[:0] = paths
    IPKernelApp.launch_instance(argv=argv)

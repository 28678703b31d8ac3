"""A SLURM of our own on this machine: two CPU nodes, a node with two GPUs that are no GPUs, and two partitions.

Everything lies in one folder but the link at /etc/slurm/slurm.conf, which the plugin's job steps need: they drop
SLURM_CONF. Where such a file exists the machine has a SLURM of its own, and nothing is started.
"""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NODES = ("cpu1", "cpu2", "gpu1")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
LINKS = (Path("/etc/slurm/slurm.conf"), Path("/etc/slurm/gres.conf"))

# MinJobAge: squeue is the only witness of how a job ended. The urgent partition preempts the other one.
SLURM_CONF = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=86400
KillWait=30
OverTimeLimit=0
ReturnToService=2
SlurmdTimeout=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
{nodes}
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE
PartitionName=urgent Nodes=ALL PriorityTier=10 MaxTime=INFINITE
"""


def why_not() -> str | None:
    """What keeps a cluster from being started here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"needs {', '.join(missing)}: apt-get install slurm-wlm slurm-wlm-basic-plugins munge"
    if os.geteuid():
        return "only root can start a cluster with nodes of its own"
    _clear_after_a_killed_run()
    if any(link.exists() or link.is_symlink() for link in LINKS):
        return f"this machine has a SLURM of its own ({LINKS[0].parent}), which is left alone"
    return None


def wait_until(condition: Callable[[], object], what: str, seconds: float = 90) -> None:
    """Until a condition holds; AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain until {what}"
        time.sleep(0.1)


def environment_of(process: int) -> dict[str, str]:
    """The environment a process was started with; empty if it has ended."""
    try:
        content = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in content.split("\0") if "=" in line)


def command_of(process: int) -> list[str]:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def processes() -> list[int]:
    """The numbers of all processes."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _step_keepers(jobs: list[str]) -> list[int]:
    titles = tuple(f"slurmstepd: [{job}." for job in jobs)
    return [number for number in processes() if command_of(number)[:1] and command_of(number)[0].startswith(titles)]


def _kill(numbers: Iterable[int]) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _name(owner: int | str) -> str:
    """The name of the cluster that a process started."""
    return f"tests{owner}"


def _started_with(name: str, value: str) -> list[int]:
    """Processes in whose environment a variable has a value."""
    return [number for number in processes() if environment_of(number).get(name) == value]


def _clear_after_a_killed_run() -> None:
    """Remove a cluster of ours whose pytest was killed: its folder says which process that was."""
    folder = LINKS[0].readlink().parent if LINKS[0].is_symlink() else None
    owner = folder / "owner" if folder else None
    if folder and owner and owner.exists() and not Path("/proc", owner.read_text()).exists():
        _kill(_started_with("SLURM_CONF", str(folder / "slurm.conf")))
        _kill(_started_with("SLURM_CLUSTER_NAME", _name(owner.read_text())))
        _remove_links(folder)
        shutil.rmtree(folder)


def _remove_links(folder: Path) -> None:
    for link in LINKS:
        if link.is_symlink() and link.readlink().parent == folder:
            link.unlink()


@dataclass
class Cluster:
    """A running cluster; its daemons are children of this process."""

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, which is in the environment of each of its jobs."""
        return _name(os.getpid())

    def start(self) -> None:
        """Write the configuration and start all daemons; return when all nodes are idle."""
        self._configure()
        socket_file = self.folder / "munge.socket"
        self._daemon(
            "munged", "--foreground", "--force", f"--socket={socket_file}", f"--key-file={self.folder}/munge.key",
            f"--pid-file={self.folder}/munge.pid", f"--log-file={self.folder}/munge.log",
            f"--seed-file={self.folder}/munge.seed",
        )  # fmt: skip
        wait_until(socket_file.exists, "munged listens")
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self.wait_for_idle_nodes()

    def start_controller(self) -> None:
        """Start slurmctld, which finds the state that an earlier one left."""
        self._daemon("slurmctld", "-D")

    def stop_controller(self) -> None:
        """End slurmctld; jobs run on."""
        self._end("slurmctld")

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        self._daemon("slurmd", "-D", "-N", node, label=node)

    def kill_node(self, node: str) -> None:
        """End a node as a power cut does: its slurmd and all that runs on it."""
        jobs = self.call("squeue", "-h", "-w", node, "-o", "%i").split()
        self.daemons.pop(node).kill()
        # The keepers of the steps first: they would report the end of what they keep.
        _kill(_step_keepers(jobs))
        _kill(_started_with("SLURMD_NODENAME", node))

    def wait_for_idle_nodes(self) -> None:
        """Until the controller answers and no node is busy or down."""
        wait_until(lambda: set(self.call("sinfo", "-h", "-N", "-o", "%T").split()) == {"idle"}, "all nodes are idle")

    def call(self, *command: str) -> str:
        """What a SLURM command prints; empty while the controller does not answer."""
        done = subprocess.run(
            ["timeout", "10", *command], capture_output=True, text=True, check=False, env=self.environment
        )
        return done.stdout

    def jobs(self, state: str = "all") -> dict[str, str]:
        """Comment (rule and wildcards) of each job in a state, by its id."""
        lines = self.call("squeue", "-h", "-a", "-t", state, "-o", "%i|%k").splitlines()
        return dict(line.split("|", 1) for line in lines)

    def show(self, job: str) -> dict[str, str]:
        """What scontrol tells of a job."""
        return dict(word.split("=", 1) for word in self.call("scontrol", "show", "job", job).split() if "=" in word)

    def reset(self) -> None:
        """Cancel all jobs and wait until the nodes are idle again."""
        for node in NODES:
            if node not in self.daemons:  # a test that failed has left it dead
                self.start_node(node)
                self.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self.call("scancel", "--user=root")
        wait_until(lambda: not self.jobs("R,PD,CG,S"), "no job is left")
        self.wait_for_idle_nodes()

    def stop(self) -> None:
        """End all jobs and daemons, and remove the links."""
        try:
            self.reset()
        finally:
            for label in [*NODES, "slurmctld", "munged"]:
                self._end(label)
            _kill(_started_with("SLURM_CLUSTER_NAME", self.name))
            _remove_links(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which SLURM's commands find this cluster."""
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def _configure(self) -> None:
        (self.folder / "owner").write_text(str(os.getpid()))
        (self.folder / "state").mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        for number in range(2):  # SLURM accepts only character devices: these are /dev/null
            os.mknod(self.folder / f"gpu{number}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        with contextlib.ExitStack() as held:
            ports = [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(4)]
        host = socket.gethostname()
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=64000"
            + (" Gres=gpu:2" if node == "gpu1" else "")
            for node, port in zip(NODES, ports[1:], strict=True)
        ]
        texts = {
            "slurm.conf": SLURM_CONF.format(
                name=self.name, host=host, port=ports[0], folder=self.folder, nodes="\n".join(nodes)
            ),
            "gres.conf": f"AutoDetect=off\nNodeName=gpu1 Name=gpu File={self.folder}/gpu[0-1]\n",
        }
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        for link in LINKS:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self.folder / link.name)

    def _daemon(self, *command: str, label: str | None = None) -> None:
        with (self.folder / f"{label or command[0]}.out").open("ab") as out:
            self.daemons[label or command[0]] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.environment, start_new_session=True
            )

    def _end(self, label: str) -> None:
        daemon = self.daemons.pop(label, None)
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in `folder`, and leave nothing behind."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()

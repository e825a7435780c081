"""What the scripts here share: servers, many connections, one line per result."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from statistics import median

from mcp_workbench.cli.bench.processes import Server
from mcp_workbench.cli.bench.report import machine_facts

MANY = 1_000


def floor_server() -> Server:
    return Server([sys.executable, "-m", "mcp_workbench.cli.bench.floor"])


def our_server() -> Server:
    return Server([sys.executable, "-m", "mcp_workbench.cli.bench.ours"])


def allow_many_files() -> None:
    """1,000 sessions are 1,000 descriptors here and, inherited, in the servers; many systems start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MANY + 200
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def title(text: str) -> None:
    facts = machine_facts()
    print(f"{text}\n{facts.cpu}, {facts.cores} cores, {facts.system}, {facts.python}, mcp-workbench {facts.mcp_workbench}", flush=True)


def line(name: str, samples: Sequence[float], unit: str) -> None:
    """One result: median and range of its samples."""
    print(f"  {name:<44}{median(samples):>10,.2f} {unit}   ({min(samples):,.2f} to {max(samples):,.2f}, n={len(samples)})", flush=True)

"""Makes the environments of the foreign servers ahead of time, and says where they are."""

from __future__ import annotations

from mcp_workbench.cli.bench.environments import REQUIREMENTS, python_of


def main() -> None:
    for name, requirements in REQUIREMENTS.items():
        print(f"{name}: {python_of(name)}  ({', '.join(requirements)})", flush=True)


if __name__ == "__main__":
    main()

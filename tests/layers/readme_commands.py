"""Runs every command of the README, so that none of them is only believed to work.

    readme_commands.py ROOT BIN

A block of shell behind the comment `<!-- run -->` is run with the programs of BIN in the path,
beside a gateway on SQLite with the demo's data. Blocks without it may only hold the commands that
are run elsewhere: continuous integration itself is tests/run, which runs deploy/run --once.
"""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

BLOCK = re.compile(r"(?P<mark><!-- run -->\n\n?)?```sh\n(?P<text>.*?)```\n", re.DOTALL)
RUN_ELSEWHERE = {"deploy/run --once", "tests/run"}


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Gateway:
    """A gateway on SQLite with the demo's data, while the `with` lasts."""

    def __init__(self, root, bin_dir):
        self.root = root
        self.bin = bin_dir
        self.directory = tempfile.TemporaryDirectory()
        grpc, metrics = free_ports(2)
        self.address = f"127.0.0.1:{grpc}"
        path = f"{bin_dir}:{os.environ['PATH']}"
        self.settings = {"PATH": path, "EMSDB_DATA_DIR": self.directory.name,
                         "EMSDB_LISTEN": self.address,
                         "EMSDB_METRICS_LISTEN": f"127.0.0.1:{metrics}"}
        self.environment = {"PATH": path, "EMSDB_ADDRESS": self.address}

    def __enter__(self):
        self.process = subprocess.Popen([self.bin / "emsdb-gateway"], env=self.settings,
                                        stdout=subprocess.DEVNULL)
        try:
            self.wait_until_it_serves()
            self.emsdb("batch", self.root / "deploy/demo/ems.sql", check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.directory.cleanup()

    def emsdb(self, *arguments, check=False):
        return subprocess.run([self.bin / "emsdb", *arguments], env=self.environment, check=check,
                              capture_output=True, timeout=30).returncode

    def wait_until_it_serves(self):
        end = time.monotonic() + 60
        while self.emsdb("--deadline", "2", "health") != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the gateway does not serve")
            time.sleep(0.1)


def run(block, environment):
    # Each command of a block must succeed, and must not wait for input.
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    if done.returncode != 0:
        return f"ended with status {done.returncode}: {block}{done.stdout}"
    return "" if done.stdout.strip() else f"printed nothing: {block}"


def main():
    root, bin_dir = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    blocks = list(BLOCK.finditer((root / "README.md").read_text(encoding="utf-8")))
    problems = [f"is run nowhere: {block['text']}" for block in blocks
                if not block["mark"] and block["text"].strip() not in RUN_ELSEWHERE]
    marked = [block["text"] for block in blocks if block["mark"]]
    if not marked:
        problems.append("README.md has no commands to run")
    with Gateway(root, bin_dir) as gateway:
        problems += filter(None, (run(text, gateway.environment) for text in marked))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

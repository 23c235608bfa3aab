"""Starts a peer's processes on local sockets and an nginx with TLS in front of them, as the product has."""
import itertools
import os
import shutil

from bench import HERE
from house import free_port

PEERS = HERE / "peers"
numbers = itertools.count(1)


def _socket(house, name):
    """A path short enough for a socket (107 bytes), whatever the build folder's is."""
    path = house.out / "run" / f"{name}.sock"
    if len(str(path)) > 100:
        path = house.stack().dir / f"{name}.sock"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def front(house, name, sockets):
    """nginx before those sockets; answers https://localhost:port."""
    port, state = free_port(), house.stack().state
    work = house.out / f"nginx-{name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    servers = "\n".join(f"\t\tserver unix:{s} max_fails=0;" for s in sockets)
    text = (PEERS / "nginx.conf").read_text()
    words = {
        "USER": "user root;" if os.geteuid() == 0 else "",
        "OUT": house.out,
        "NAME": name,
        "SERVERS": servers,
        "PORT": port,
        "CERT": state / "tls" / "cert.pem",
        "KEY": state / "tls" / "key.pem",
    }
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    path = work / "nginx.conf"
    path.write_text(text)
    house.start(
        ["/usr/sbin/nginx", "-p", work, "-e", house.out / f"nginx-{name}.log", "-c", path],
        ready=port,
        name=f"nginx-{name}",
    )
    return f"https://localhost:{port}"


def uvicorn(house, module, processes=1, env=None):
    """peers/<module>.py with FastAPI's `app`; answers the address of the nginx before it."""
    name, sockets = f"{module}-{next(numbers)}", []
    for i in range(processes):
        path = _socket(house, f"{name}-{i}")
        sockets.append(path)
        words = ["/usr/bin/python3", "-m", "uvicorn", f"{module}:app", "--uds", path]
        house.start(
            [*words, "--no-access-log", "--log-level", "warning"],
            env={"PYTHONPATH": str(PEERS), **house.pg_env(), **(env or {})},
            ready=path,
            name=module,
        )
    return front(house, name, sockets)


def node(house, script, processes=1, env=None):
    """peers/<script>, which listens on the socket that is its first argument."""
    name, sockets = f"{script.split('.')[0]}-{next(numbers)}", []
    for i in range(processes):
        path = _socket(house, f"{name}-{i}")
        sockets.append(path)
        house.node(script, path, env={**house.pg_env(), **(env or {})}, ready=path, name=script)
    return front(house, name, sockets)

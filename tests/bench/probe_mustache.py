"""M: a page with a table of 50 rows, rendered from the same template and model by everybody. What counts is
the page as bytes, as a socket takes them; the outputs are compared once, byte by byte."""
import json
import os
import subprocess
import sys

from bench import HERE, Bar

ROOT = HERE.parents[1]
TEMPLATE, MODEL = HERE / "page.mustache", HERE / "page.json"
LIBRARIES = (
    "-lfcgi -lpq -lcurl -ljansson -ljwt -lcrypto -lcrypt -lxml2 -larchive -lphonenumber -lstdc++ -lm"
    " -pthread"
)
PEERS = {
    "npm mustache": ["node", "mustache_js.js", "mustache"],
    "handlebars": ["node", "mustache_js.js", "handlebars"],
    "pystache": [sys.executable, "mustache_pystache.py"],
}


def compiled(house):
    """The product's own library and flags, in a loop."""
    program = house.out / "mustache_bench"
    words = [
        "cc",
        "-std=gnu11",
        "-O2",
        "-D_GNU_SOURCE",
        f"-I{ROOT}/fcgi",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
    ]
    words += [program, HERE / "mustache_bench.c", house.build / "libtrunkline.a", "-Wl,--as-needed"]
    subprocess.run([*words, *LIBRARIES.split()], check=True)
    return program


def ask(cmd, house, mode, **env):
    seconds = str(0.5 if house.quick else house.seconds)
    cmd = [*map(str, cmd), mode, str(TEMPLATE), str(MODEL), seconds]
    done = subprocess.run(cmd, env={**os.environ, **env}, capture_output=True, check=True, timeout=300)
    return done.stdout


def peer_commands(house):
    if os.environ.get("PEERS") == "0":
        return {}, {}
    env = {"NODE_PATH": str(house.npm()), "NODE_ENV": "production"}
    return {name: [w[0], HERE / "peers" / w[1], *w[2:]] for name, w in PEERS.items()}, env


def run(house):
    program = compiled(house)
    page = ask([program], house, "print")
    peers, env = peer_commands(house)
    for name, cmd in peers.items():
        if ask(cmd, house, "print", **env) != page:
            raise RuntimeError(f"{name} makes another page than ours")
    rows = len(json.loads(MODEL.read_text())["leads"])
    house.say(f"{rows} rows, {len(page):,} bytes; {len(peers)} peers make the very same page")
    subjects = {
        "ours": lambda: ask([program], house, "render"),
        "memcpy": lambda: ask([program], house, "copy"),
        **{name: lambda cmd=cmd: ask(cmd, house, "render", **env) for name, cmd in peers.items()},
    }
    rounds = house.alternate(subjects)
    for name in subjects:
        house.figure(f"{name}, a page of {len(page) / 1000:.1f} kB", rounds.median(name), "pages/s")
    house.figure("ours, of memcpy's rate", 100 * rounds.ratio("ours", "memcpy"), "%")
    if not peers:
        return []
    fastest = max(peers, key=rounds.median)
    ratios = {name: rounds.ratio("ours", name) for name in peers}
    what = f"pages per second, ours to the fastest peer ({fastest})"
    return [
        Bar("M", what, ratios[fastest], ">=", 5, "×", details={"rows": rows, "bytes": len(page), **ratios})
    ]

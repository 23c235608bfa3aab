"""What needs no boot: the Debian package and what is in it, the manual's pages, completion in the shell."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build" / "asan")).resolve()
MAN = ROOT / "systemd" / "man"
# Settings that services and scripts read themselves, not fcgi/base/config.c.
OF_SCRIPTS = {"WEB_WORKERS", "HOOK_WORKERS", "STREAM_WORKERS"}


def run(*words, check=True, **more):
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=300, cwd=ROOT, **more
    )
    assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def usage():
    """{"user add": "EMAIL [--role …]"} as the program tells it."""
    found = {}
    text = run(BUILD / "trunkline", "--help").stdout
    for first, second, rest in re.findall(
        r"^trunkline ([a-z]+)(?: ([a-z]+)(?= |$))? ?(.*(?:\n\t\[.*)*)", text, re.M
    ):
        found[f"{first} {second}".strip()] = rest
    assert "user add" in found and "migrate" in found
    return found


def page(name, width=200):
    """The page as it is read, without bold and underlined letters."""
    text = run("mandoc", "-T", "utf8", "-O", f"width={width}", MAN / name).stdout
    return re.sub(".\b", "", text)


needs_mandoc = pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")


# --- the manual -------------------------------------------------------------------------------------
@needs_mandoc
@pytest.mark.parametrize("name", ["trunkline.8", "trunkline.env.5"])
def test_pages_of_the_manual_are_well_formed(name):
    told = run("mandoc", "-T", "lint", "-W", "warning", MAN / name, check=False)
    assert told.returncode == 0 and not told.stdout + told.stderr


@needs_mandoc
def test_the_manual_has_every_subcommand_with_all_its_options_and_no_other():
    text = page("trunkline.8")
    body = text[text.index("DESCRIPTION") : text.index("SERVICES")]
    told = set(re.findall(r"^     ([a-z]+(?: [a-z]+)?)(?=$|  | [A-Z\[-])", body, re.M))
    known = usage()
    assert set(known) <= told, f"missing in trunkline(8): {set(known) - told}"
    assert not {t for t in told if t.split()[0] in {k.split()[0] for k in known}} - set(known)
    for words, options in known.items():
        for option in re.findall(r"--[a-z-]+", options):
            assert option in body, f"{option} of {words} is missing in trunkline(8)"


@needs_mandoc
def test_the_manual_has_every_setting_and_its_default():
    text = page("trunkline.env.5", width=500)
    table = re.findall(
        r'^    \{"([A-Z_]+)", [A-Z]+, AT\(\w+\), "([^"]*)"',
        Path(ROOT / "fcgi/base/config.c").read_text(),
        re.M,
    )
    assert len(table) > 20
    known = {name for name, _ in table}
    heads = re.findall(r"^     ([A-Z][A-Z_]+(?:, [A-Z_]+)*)(?=$|  )", text, re.M)
    told = {word for head in heads for word in head.split(", ")}
    assert told == known | OF_SCRIPTS, told ^ (known | OF_SCRIPTS)
    for name, fallback in table:
        if fallback.isdigit():
            at = re.search(rf"^     .*\b{name}\b.*\n((?:           ?.*\n|\n)+)", text, re.M)
            assert at and re.search(rf"\b{fallback}\b", at.group(1)), f"the default of {name} is not told"


# --- completion -------------------------------------------------------------------------------------
def completed(*words):
    script = f"""
        trunkline() {{ "{BUILD}/trunkline" "$@"; }}
        . "{ROOT}/systemd/trunkline.bash-completion"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _trunkline
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(run("bash", "-euc", script, "bash", "trunkline", *words).stdout.split())


def test_completion_knows_what_the_program_knows():
    known = usage()
    assert completed("") == {words.split()[0] for words in known}
    assert completed("do") == {"doctor"}
    assert completed("user", "") == {"add", "passwd", "list"}
    assert completed("user", "add", "a@b.example", "--role", "") == {"admin", "member", "viewer"}
    assert completed("user", "add", "a@b.example", "--p") == {"--password-stdin"}
    assert completed("nonsense", "x") == set()


def test_completion_offers_files_where_a_file_is_wanted(tmp_path):
    (tmp_path / "leads.csv").touch()
    assert completed("import", f"{tmp_path}/le") == {f"{tmp_path}/leads.csv"}


# --- the package ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def deb():
    """The package, built as `make deb` does, from programs without sanitizers."""
    if not shutil.which("dh"):
        pytest.skip("debhelper is not installed (make deb installs it)")
    folder = ROOT / "build" / "package"  # objects are kept for the next time
    run("make", "-s", "--no-print-directory", f"BUILD={folder}", "VERSION=1.2.3", "deb")
    (found,) = (folder / "deb").glob("trunkline_1.2.3_*.deb")
    return found


def contents(deb):
    """{path: (mode, owner)}"""
    found = {}
    for line in run("dpkg-deb", "-c", deb).stdout.splitlines():
        mode, owner, _size, _day, _time, name = line.split(None, 5)
        found[name.split(" -> ")[0].removeprefix(".").rstrip("/") or "/"] = (mode, owner)
    return found


def test_the_package_holds_everything_where_it_belongs(deb):
    files = contents(deb)
    for unit in (ROOT / "systemd").glob("trunkline*"):
        if unit.suffix in (".service", ".socket", ".timer", ".target"):
            assert f"/lib/systemd/system/{unit.name}" in files
    for name in (
        "/usr/bin/trunkline",
        "/usr/lib/trunkline/trunkline",
        "/usr/lib/trunkline/trunkline-web",
        "/usr/lib/trunkline/trunkline-dialer",
        "/usr/lib/trunkline/trunkline-late.so",
        "/usr/lib/sysusers.d/trunkline.conf",
        "/usr/lib/tmpfiles.d/trunkline.conf",
        "/usr/share/man/man8/trunkline.8.gz",
        "/usr/share/man/man5/trunkline.env.5.gz",
        "/usr/share/bash-completion/completions/trunkline",
        "/usr/share/trunkline/static/manifest",
        "/usr/share/trunkline/nginx/trunkline.conf",
        "/lib/systemd/system/nginx.service.d/trunkline.conf",
        "/lib/systemd/system/postgresql@.service.d/trunkline.conf",
    ):
        assert name in files, name
    assert not [name for name in files if name.endswith((".o", ".c", "embed.awk")) or "/queries" in name]
    for path in (ROOT / "sql" / "migrations").glob("*.sql"):
        assert f"/usr/share/trunkline/sql/migrations/{path.name}" in files


def test_nobody_else_reads_settings_and_keys(deb):
    files = contents(deb)
    assert files["/etc/trunkline"][0] == "drwxr-x---"
    assert files["/etc/trunkline/keys"][0] == "drwxr-x---"
    assert files["/etc/trunkline/trunkline.env"][0] == "-rw-r-----"
    for name, (mode, owner) in files.items():
        assert owner == "root/root", name
        assert mode[5] != "w" and mode[8] != "w" and "s" not in mode.lower()[1:], name
        if not name.startswith("/etc/trunkline"):
            assert mode[7] == "r" or mode[0] == "l", name


def test_the_settings_are_a_conffile_and_dependencies_are_named(deb):
    told = run("dpkg-deb", "-I", deb, "conffiles").stdout
    assert told.split() == ["/etc/trunkline/trunkline.env"]
    depends = run("dpkg-deb", "-f", deb, "Depends").stdout
    for package in ("nginx", "multiwatch", "postgresql-15 | postgresql", "openssl", "libpq5", "libssl3"):
        assert re.search(rf"(^|, ){re.escape(package)}( \(|,|$)", depends, re.M), package
    triggers = run("dpkg-deb", "-I", deb, "triggers").stdout
    assert "libssl.so.3" in triggers and "@" not in triggers


def test_scripts_of_the_package_ask_nothing_and_stop_nothing_on_an_upgrade(deb, tmp_path):
    run("dpkg-deb", "-e", deb, tmp_path / "DEBIAN")
    for name in ("postinst", "prerm", "postrm"):
        script = tmp_path / "DEBIAN" / name
        run("sh", "-n", script)
        assert "read " not in script.read_text().replace("thread ", "")
    # With commands that only tell: an upgrade calls none that stops.
    fakes = tmp_path / "bin"
    fakes.mkdir()
    for name in ("systemctl", "nginx", "rm", "trunkline"):
        (fakes / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/told\n')
        (fakes / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"}
    run("sh", tmp_path / "DEBIAN" / "prerm", "upgrade", "1.2.4", env=env)
    assert not (tmp_path / "told").exists()


def test_the_same_sources_make_the_same_package(deb):
    first = run("sha256sum", deb).stdout
    run("make", "-s", "--no-print-directory", f"BUILD={deb.parents[1]}", "VERSION=1.2.3", "deb")
    assert run("sha256sum", deb).stdout == first


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_has_no_error_and_no_unexplained_warning(deb):
    (changes,) = deb.parent.glob("trunkline_1.2.3_*.changes")
    told = run("lintian", "--allow-root", "--fail-on", "error,warning", changes, check=False)
    assert told.returncode == 0, told.stdout

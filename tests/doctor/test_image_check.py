"""Images in archives, as docker and podman save them, and the one that a process runs in."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.checkout import DEPLOYMENT, NO_PROGRAMS, names, write
from worker.doctor import offline
from worker.doctor.dockerfile.contents import HAS_PIP, SECRET
from worker.doctor.dockerfile.process import LITERAL, NO_COMMAND, ROOT, SHELL_FORM
from worker.doctor.folder import Folder, Unreadable
from worker.doctor.image import bytecode, checks, running
from worker.doctor.image.archive import Image, read_image

STDLIB = "usr/local/lib/python3.13"
PACKAGES = "opt/venv/lib/python3.13/site-packages"
PYTHON_CMD = '/bin/sh -c #(nop)  CMD ["python3"]'


def compiled(*modules: str) -> set[str]:
    """The modules and their bytecode."""
    found = set(modules)
    for module in modules:
        folder, _, name = module.rpartition("/")
        found.add(f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc")
    return found


GOOD = Image(
    config={
        "User": "10001:10001",
        "Cmd": ["python", "-m", "worker", "serve"],
        "Env": ["PATH=/opt/venv/bin", "GPG_KEY=abc"],
        "WorkingDir": "/app",
        "Labels": {"org.opencontainers.image.title": "feature-worker"},
    },
    history=[
        {"created_by": "ADD rootfs"}, {"created_by": PYTHON_CMD, "empty_layer": True},
        {"created_by": "COPY /opt/venv"}, {"created_by": 'CMD ["python"]', "empty_layer": True},
    ],
    files=frozenset(
        compiled(f"{STDLIB}/os.py", f"{PACKAGES}/gunicorn/__init__.py", "app/worker/__init__.py")
        | {f"{STDLIB}/test/bad.py", f"{STDLIB}/site-packages/pip/__init__.py", "bin/sh"}
    ),
    layers=(100_000_000, 50_000_000),
)  # fmt: skip


def with_config(**changed: Any) -> Image:
    return replace(GOOD, config={**GOOD.config, **changed})


PLANTED = [
    (ROOT, with_config(User="")),
    (SHELL_FORM, with_config(Cmd=["/bin/sh", "-c", "python -m worker serve"])),
    (SHELL_FORM, with_config(Entrypoint=["sh", "-c"], Cmd=["python -m worker serve"])),
    (LITERAL, with_config(Cmd=["gunicorn", "$PORT"])),
    (NO_COMMAND, with_config(Cmd=None)),
    (SECRET, with_config(Env=["API_TOKEN=s3cr3t-value"])),
    (checks.NO_LABELS, with_config(Labels=None)),
    (checks.LARGE, replace(GOOD, layers=(100_000_000, 81_000_000))),
    (HAS_PIP, replace(GOOD, files=GOOD.files | compiled(f"{PACKAGES}/pip/__init__.py"))),
    (bytecode.MISSING, replace(GOOD, files=GOOD.files | {f"{STDLIB}/json.py"})),
    (bytecode.MISSING, replace(GOOD, files=GOOD.files | {f"{PACKAGES}/flask.py"})),
    (bytecode.MISSING, replace(GOOD, files=GOOD.files | {"app/handlers/beat.py"})),
]


@pytest.mark.parametrize(("check", "image"), PLANTED)
def test_a_planted_mistake_is_found(check: Any, image: Image) -> None:
    (finding,) = checks.examine(image, "image.tar")
    assert finding.check == check.name
    assert finding.where.startswith("image.tar")
    assert "s3cr3t-value" not in str(finding)


def test_every_check_of_an_image_has_a_planted_mistake() -> None:
    assert {check.name for check, _ in PLANTED} | {"image-unreadable"} == {
        check.name for check in checks.CHECKS
    }


def test_in_a_good_image_nothing_is_found() -> None:
    assert list(checks.examine(GOOD, "image.tar")) == []


def test_it_says_how_many_modules_of_which_folder_lack_their_bytecode() -> None:
    image = replace(GOOD, files=GOOD.files | {f"{STDLIB}/json.py"})
    (finding,) = checks.examine(image, "i")
    assert finding.where == f"i:/{STDLIB}"
    assert finding.what == "1 of 2 modules of the standard library have no .pyc"


def test_a_few_modules_that_cannot_compile_are_no_finding() -> None:
    many = compiled(*(f"{STDLIB}/m{n}.py" for n in range(30))) | {f"{STDLIB}/bad.py"}
    assert list(checks.examine(replace(GOOD, files=GOOD.files | many), "i")) == []


def test_packages_that_the_worker_does_not_import_need_no_bytecode() -> None:
    files = GOOD.files | {"usr/lib/python3/dist-packages/apt.py"}
    assert list(checks.examine(replace(GOOD, files=files), "i")) == []


def test_a_module_compiled_in_the_old_place_counts() -> None:
    files = GOOD.files | {f"{STDLIB}/json.py", f"{STDLIB}/json.pyc"}
    assert list(checks.examine(replace(GOOD, files=files), "i")) == []


@pytest.mark.parametrize(
    ("history", "added"),
    [
        (GOOD.history, 50_000_000),
        (GOOD.history[:1] + GOOD.history[2:], None),  # the base says no CMD
        (GOOD.history[:2], None),  # squashed
        ([], None),
    ],
)
def test_the_size_on_top_of_the_base_is_known_where_the_history_tells(
    history: list[dict[str, Any]], added: int | None
) -> None:
    assert checks.added_bytes(replace(GOOD, history=history)) == added


Layer = Mapping[str, bytes | None]  # None: a folder


def tar(files: Mapping[str, bytes | None]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return data.getvalue()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


CONFIG = as_json({"config": {"User": "1"}, "history": [{"created_by": "x"}]})


def docker_archive(*layers: bytes) -> bytes:
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "c.json", "RepoTags": ["a:b"], "Layers": names}]
    files = dict(zip(names, layers, strict=True))
    return tar({"c.json": CONFIG, **files, "manifest.json": as_json(manifest)})


def oci_archive(*layers: bytes) -> bytes:
    blobs: dict[str, bytes] = {}

    def add(data: bytes) -> dict[str, str]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}"}

    manifest = {"config": add(CONFIG), "layers": [add(layer) for layer in layers]}
    attestation = {**add(b"{}"), "platform": {"os": "unknown"}}
    index = {"manifests": [attestation, add(as_json(manifest))]}
    layout = as_json({"manifests": [add(as_json(index))]})
    return tar({**blobs, "index.json": layout})


LAYERS: list[Layer] = [
    {"./etc": None, "./etc/a": b"12", "etc/b": b"1", "opt/c/d": b"1", "opt/c/e": b"1", "x/y": b"1"},
    {"etc/.wh.a": b"", "opt/c/.wh..wh..opq": b"", "opt/c/f": b"12345", ".wh.x": b""},
]
LEFT = {"etc/b", "opt/c/f"}


@pytest.mark.parametrize("pack", [docker_archive, oci_archive])
@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_archives_of_both_formats_are_read_with_what_later_layers_remove(
    tmp_path: Path, pack: Any, squeeze: Any
) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(squeeze(pack(*(squeeze(tar(layer)) for layer in LAYERS))))
    image = read_image(path)
    assert image.files == LEFT
    assert image.layers == (6, 5)
    assert image.config == {"User": "1"}
    assert image.history == [{"created_by": "x"}]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is no tar archive"),
        (b"not a tar", "is no tar archive"),
        (tar({"a": b""}), "neither manifest.json nor index.json"),
        (tar({"manifest.json": b"[]"}), "its manifest or configuration does not fit"),
        (tar({"manifest.json": b"{"}), "its manifest or configuration does not fit"),
        (tar({"index.json": b'{"manifests": []}'}), "its manifest or configuration does not fit"),
        (docker_archive(b"\x28\xb5\x2f\xfd"), "neither plain nor gzip"),
    ],
)
def test_what_is_no_image_says_so(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=why):
        read_image(path)
    report = offline.examine(Folder(write(tmp_path), NO_PROGRAMS), DEPLOYMENT, path)
    assert names(report.findings) == ["image-unreadable"]


def test_an_archive_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: FileNotFoundError"):
        read_image(tmp_path / "none.tar")


def test_the_image_that_is_named_is_examined(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(docker_archive(tar({"app/a.py": b""})))
    report = offline.examine(Folder(write(tmp_path), NO_PROGRAMS), DEPLOYMENT, path)
    assert names(report.findings) == ["image-starts-nothing", "image-without-labels"]
    unknown = [one.check for one in report.not_checked if "where its base ends" in one.reason]
    assert unknown == ["image-large"]
    assert "image-large" not in report.checked


def test_in_an_image_its_own_python_is_examined(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "a.py").write_text("")
    report = offline.examine(Folder(tmp_path, NO_PROGRAMS), DEPLOYMENT)
    assert "image-bytecode-missing" in report.checked
    mine = f"this image:/{str(tmp_path.resolve()).strip('/')}"
    found = [one for one in report.findings if one.where == mine]
    assert names(found) == ["image-bytecode-missing"]


@pytest.mark.parametrize("source", ["Dockerfile", "cloudbuild.yaml", "pyproject.toml"])
def test_a_checkout_is_no_image(tmp_path: Path, source: str) -> None:
    folder = Folder(tmp_path)
    assert not running.is_image(folder)
    (tmp_path / "worker").mkdir()
    assert running.is_image(folder)
    (tmp_path / source).touch()
    assert not running.is_image(folder)


def test_the_user_of_a_running_image_is_asked_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_files", lambda _folder: [])
    for number, found in ((0, ["image-runs-as-root"]), (10001, [])):
        monkeypatch.setattr(os, "geteuid", lambda number=number: number)
        assert names(running.examine(tmp_path)) == found


def test_pip_beside_the_running_packages_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = compiled(f"{PACKAGES}/gunicorn/__init__.py", f"{PACKAGES}/pip/__init__.py")
    monkeypatch.setattr(running, "_files", lambda _folder: files)
    assert "image-has-pip" in names(running.examine(tmp_path))

"""A build finds PyPI by the ways that pip on this machine knows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.image.pipconfig import PLACE, Mounts, parse, volumes

_NAMES = st.sampled_from(["cert", "index-url", "extra-index-url", "find-links", "timeout"])


@given(st.dictionaries(_NAMES, st.text()), st.dictionaries(_NAMES, st.text()))
def test_variables_outdo_files(files: dict[str, str], variables: dict[str, str]) -> None:
    listed = [f":env:.{name}={value!r}" for name, value in variables.items()]
    listed += [f"global.{name}={value!r}" for name, value in files.items()]
    assert parse("\n".join(listed)) == {**files, **variables}


def test_what_only_concerns_this_machine_is_left_out() -> None:
    assert parse("global.cache-dir='/here'\ninstall.user='true'\nglobal.no-index='1'") == {
        "no-index": "1"
    }


def test_an_address_stays() -> None:
    mounts = Mounts(Path("unused"))
    assert mounts.moved("index-url", "https://a/simple  https://b") == "https://a/simple https://b"
    assert mounts.options == []


def test_a_folder_is_mounted(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    mounts = Mounts(tmp_path)
    assert mounts.moved("find-links", f"{wheels} https://b") == f"{PLACE}/0/. https://b"
    assert mounts.options == [f"--volume={wheels}:{PLACE}/0:ro"]


def test_an_index_in_a_folder_is_mounted_with_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "an index" / "simple").mkdir(parents=True)
    mounts = Mounts(tmp_path)
    url = f"file://{tmp_path}/an%20index/simple"
    assert mounts.moved("extra-index-url", url) == f"file://{PLACE}/0/simple"
    assert mounts.options == [f"--volume={tmp_path}/an index:{PLACE}/0:ro"]


def test_certificates_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = tmp_path / "ours.pem"
    certificates.write_text("A CERTIFICATE")
    monkeypatch.setenv("PIP_CERT", str(certificates))
    options = volumes(tmp_path / "made")
    assert options[0] == f"--volume={tmp_path}/made:{PLACE}:ro"
    assert (tmp_path / "made" / "ours.pem").read_text() == "A CERTIFICATE"
    assert f"cert = {PLACE}/ours.pem\n" in (tmp_path / "made" / "pip.conf").read_text()

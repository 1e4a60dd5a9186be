"""Both kinds of control groups, imitated by directories: a machine has one of them, and where it may not be written none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cpu_share import CannotShareError, cpu_shares, find_controller, quota


class Removable(type(Path())):  # type: ignore[misc]  # the class that Path makes differs by system
    """A directory that goes away as a control group does, with its files."""

    def rmdir(self) -> None:
        for path in self.iterdir():
            path.unlink()
        super().rmdir()


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """A list of mounts to be filled, and where control groups are."""
    monkeypatch.setattr("benchmarks.cpu_share.Path", Removable)
    root = Removable(tmp_path, "cgroup")
    root.mkdir()
    yield tmp_path / "mounts", root
    assert list(root.glob("ai-gateway-*")) == []


def test_quotas_are_parts_of_a_vcpu() -> None:
    assert [quota(memory) for memory in (128, 256, 1769)] == [1447, 2894, 20_000]


def test_version_1_is_told_quota_and_period(mounts: tuple[Path, Path]) -> None:
    listed, root = mounts
    listed.write_text(f"cgroup {root} cgroup rw,relatime,cpu 0 0\n")
    with cpu_shares(2, listed) as (share, _):
        share.set(128)
        (group, other) = sorted(root.iterdir())
        assert (group / "cpu.cfs_quota_us").read_text() == "1447"
        assert (group / "cpu.cfs_period_us").read_text() == "20000"
        assert (other / "cpu.cfs_quota_us").read_text() == "20000"
        assert share.within[-1] == str(group / "cgroup.procs")


def test_version_2_is_told_both_in_one_file(mounts: tuple[Path, Path]) -> None:
    listed, root = mounts
    (root / "cgroup.controllers").write_text("cpuset cpu io")
    listed.write_text(f"cgroup2 {root} cgroup2 rw 0 0\n")
    with cpu_shares(1, listed) as (share,):
        share.set(256)
        (group,) = root.glob("ai-gateway-*")
        assert (group / "cpu.max").read_text() == "2894 20000"
        assert (root / "cgroup.subtree_control").read_text() == "+cpu"


def test_a_machine_without_a_controller_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    with pytest.raises(CannotShareError, match="no control group"):
        find_controller(f"tmpfs /tmp tmpfs rw 0 0\ncgroup2 {tmp_path} cgroup2 rw 0 0\ncgroup /x cgroup rw,cpuset 0 0")
    with pytest.raises(CannotShareError, match="no Linux"), cpu_shares(1, tmp_path / "none"):
        pass


def test_one_that_cannot_be_written_is_told_so(tmp_path: Path) -> None:
    listed = tmp_path / "mounts"
    listed.write_text(f"cgroup {tmp_path / 'gone'} cgroup rw,cpu 0 0\n")
    with pytest.raises(CannotShareError, match="run it as root"), cpu_shares(1, listed):
        pass

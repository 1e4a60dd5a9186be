import asyncio
from pathlib import Path

import pytest

from gateway_cli.local.assembly_watch import AssemblyWatch

LOOK = 0.01


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_text("{}")
    return tmp_path / "manifest.json"


async def change(watch: AssemblyWatch) -> None:
    async with asyncio.timeout(20):
        await watch.changed()


async def no_change(watch: AssemblyWatch) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20 * LOOK):
            await watch.changed()


def write_anew(manifest: Path) -> None:
    """As the CDK does it; a file of its own has a number of its own, whatever the clock's resolution."""
    new = manifest.with_name("new")
    new.write_text("{} ")
    new.replace(manifest)


def test_a_new_assembly_is_told_of_once(manifest: Path) -> None:
    async def run() -> None:
        watch = AssemblyWatch(manifest.parent, seconds=LOOK)
        await no_change(watch)
        write_anew(manifest)
        await change(watch)
        await no_change(watch)

    asyncio.run(run())


def test_not_while_the_cli_holds_its_lock(manifest: Path) -> None:
    async def run() -> None:
        watch = AssemblyWatch(manifest.parent, seconds=LOOK)
        lock = manifest.with_name("synth.lock")
        lock.touch()
        write_anew(manifest)
        await no_change(watch)
        lock.unlink()
        await change(watch)

    asyncio.run(run())


def test_not_without_a_manifest(manifest: Path) -> None:
    watch = AssemblyWatch(manifest.parent, seconds=LOOK)
    manifest.unlink()

    async def run() -> None:
        await no_change(watch)
        write_anew(manifest)
        await change(watch)

    asyncio.run(run())

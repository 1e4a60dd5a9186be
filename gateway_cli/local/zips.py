"""Directories as zips, with what Lambda and the CDK CLI keep of them."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path


def zip_directory(directory: Path) -> bytes:
    """A directory as a zip with the times and permissions that the CDK CLI gives it, executable bits included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(path.stat().st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def unzip_directory(content: bytes, directory: Path) -> None:
    """The reverse of `zip_directory`: files with their executable bits. Entries never leave the directory."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, directory))
            mode = stat.S_IMODE(entry.external_attr >> 16)
            if mode and path.is_file():
                path.chmod(mode | stat.S_IRUSR)

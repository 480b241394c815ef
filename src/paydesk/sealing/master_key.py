"""Where the master key comes from: the environment, or a file that only its owner can read."""

import os
import re
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from paydesk.config import MASTER_KEY as VARIABLE
from paydesk.errors import Sentence
from paydesk.sealing.sealer import KEY_BYTES

_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{43}=?")
_FORM = f"{KEY_BYTES} random bytes as base64url (43 characters) or as hexadecimal (64)"
_READ_BYTES_MAX = 1024


class MasterKeyError(Sentence):
    """The key can't be used as it is; the message says what to do, and repeats nothing of the key."""


def find(environment: Mapping[str, str], file: Path) -> bytes | None:
    """The key from PAYDESK_MASTER_KEY, else from the file; None if there is neither. An empty variable is an unset one.

    MasterKeyError if what is there is not a key, or if the file can be read by others.
    """
    if text := environment.get(VARIABLE, "").strip():
        key = _decode(text)
        if key is None:
            raise MasterKeyError(f"{VARIABLE} is not a key. Set it to {_FORM}, or unset it to use the file {file}.")
        return key
    if (text := _read(file)) is None:
        return None
    key = _decode(text.strip())
    if key is None:
        raise MasterKeyError(
            f"{file} does not hold a key: expected are {_FORM}, and nothing else. Put the key back from where you keep"
            " it; only if no database was ever made with this key, delete the file."
        )
    return key


def make(file: Path, key: bytes) -> None:
    """Write the key into a new file (0600), down to the disk. MasterKeyError if it exists: a key is never replaced."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(key)}")
    text = urlsafe_b64encode(key).rstrip(b"=") + b"\n"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise MasterKeyError(
            f"{file} is there already, and a key is never replaced. Use it, or move it away."
        ) from None
    except OSError as error:
        raise MasterKeyError(f"{file} could not be made ({error.strerror}). Make its folder writable for us.") from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    _sync_folder(file.parent)


def _decode(text: str) -> bytes | None:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _BASE64URL.fullmatch(text):
        return urlsafe_b64decode(text[:43] + "=")
    return None


def _read(file: Path) -> str | None:
    try:
        # Not to hang on a pipe that stands where the file should be.
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MasterKeyError(
            f"{file} can't be read ({error.strerror}). Give it to the user who runs paydesk."
        ) from None
    try:
        # Asked of what was opened, so that nobody exchanges the file in between.
        _check_mode(file, os.fstat(descriptor).st_mode)
        return os.read(descriptor, _READ_BYTES_MAX).decode("latin-1")
    finally:
        os.close(descriptor)


def _check_mode(file: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise MasterKeyError(f"{file} is not a file. Name the file that holds the master key.")
    if mode & 0o077:
        raise MasterKeyError(
            f"{file} can be read or written by others (mode {stat.S_IMODE(mode):04o}). Run: chmod 600 {file}"
        )


def _sync_folder(folder: Path) -> None:
    """So that the name is on the disk as well, not the bytes alone."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Records on their way to another process, as MessagePack."""

from __future__ import annotations

from typing import Any

import msgspec

_encoder = msgspec.msgpack.Encoder()


def encode(record: Any) -> bytes:
    """A record as MessagePack; bytes as they are. Half characters are made printable."""
    if isinstance(record, bytes):
        return record
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return _encoder.encode(_printable(msgspec.to_builtins(record, builtin_types=(bytes,))))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    return value

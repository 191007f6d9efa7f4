"""The limit of a target: msgspec's typed decode of 64 KiB chunks by types written by hand, nothing stored."""

import os
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class Customer(msgspec.Struct, gc=False):
    id: int | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET


class Order(msgspec.Struct, gc=False):
    id: int
    order_number: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET
    notes: str | UnsetType | None = UNSET
    quantity: int | UnsetType | None = UNSET
    unit_price: Decimal | UnsetType | None = UNSET
    total_amount: Decimal | UnsetType | None = UNSET
    is_gift: bool | UnsetType | None = UNSET
    order_date: date | UnsetType | None = UNSET
    updated_at: datetime | UnsetType | None = UNSET
    customer: Customer | UnsetType | None = UNSET
    tags: list[str | None] | UnsetType | None = UNSET


class Message(msgspec.Struct, gc=False):
    type: Literal["RECORD", "STATE", "SCHEMA"]
    stream: str | UnsetType = UNSET
    record: Order | UnsetType = UNSET


decode_lines = msgspec.json.Decoder(Message).decode_lines
arrived, pending = 0, b""
while chunk := os.read(0, 65536):
    chunk = pending + chunk
    cut = chunk.rfind(b"\n") + 1
    pending = chunk[cut:]
    for message in decode_lines(chunk[:cut]):
        if message.type == "RECORD":
            arrived += 1
sys.stderr.write(f"arrived {arrived}\n")

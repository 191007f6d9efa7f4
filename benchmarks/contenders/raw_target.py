"""The limit of a target: msgspec's typed decode of 64 KiB chunks by types written by hand, nothing stored."""

import os
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Union

import msgspec
from msgspec import UNSET, UnsetType


class Customer(msgspec.Struct, gc=False):
    id: Union[int, None, UnsetType] = UNSET
    name: Union[str, None, UnsetType] = UNSET
    email: Union[str, None, UnsetType] = UNSET
    country: Union[str, None, UnsetType] = UNSET


class Order(msgspec.Struct, gc=False):
    id: int
    order_number: Union[str, None, UnsetType] = UNSET
    status: Union[str, None, UnsetType] = UNSET
    notes: Union[str, None, UnsetType] = UNSET
    quantity: Union[int, None, UnsetType] = UNSET
    unit_price: Union[Decimal, None, UnsetType] = UNSET
    total_amount: Union[Decimal, None, UnsetType] = UNSET
    is_gift: Union[bool, None, UnsetType] = UNSET
    order_date: Union[date, None, UnsetType] = UNSET
    updated_at: Union[datetime, None, UnsetType] = UNSET
    customer: Union[Customer, None, UnsetType] = UNSET
    tags: Union[list[Union[str, None]], None, UnsetType] = UNSET


class Message(msgspec.Struct, gc=False):
    type: Literal["RECORD", "STATE", "SCHEMA"]
    stream: Union[str, UnsetType] = UNSET
    record: Union[Order, UnsetType] = UNSET


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

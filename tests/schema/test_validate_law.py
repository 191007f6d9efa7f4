"""The law of validation: whatever tier judges, the verdict is the reference's."""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import DecodeError, Decoder, decode, encode
from singer_kit.schema.reference import Reference
from singer_kit.schema.validate import Validator, compile_validator

MakeCase: TypeAlias = Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]]


def passes_quickly(validator: Validator, lines: bytes) -> bool:
    """Whether the validator's own tier takes the lines without asking the reference."""
    try:
        records = Decoder(validator.record_type, exact=validator.exact).decode_lines(lines)
    except DecodeError:
        return False
    return validator.accepts(records)


def is_good(reference: Reference, keys: tuple[str, ...], record: dict[str, Any]) -> bool:
    """The law, spelled out."""
    return reference.accepts(record) and all(record.get(key) is not None for key in keys)


@pytest.mark.parametrize("engine", ["auto", "loosened", "rust"])
def test_no_tier_differs_from_the_reference(engine: str, schema_with_records: MakeCase) -> None:
    """What a quick tier accepts the reference accepts; the verdict of `problems` is the reference's, always."""
    schemas: Counter[str] = Counter()
    quick: Counter[str] = Counter()
    good: Counter[str] = Counter()

    @settings(max_examples=700, deadline=None, print_blob=True)
    @given(seed=st.integers(0, 2**48))
    def judge(seed: int) -> None:
        schema, records = schema_with_records(seed)
        keys = ("a",) if seed % 3 == 0 else ()
        validator = compile_validator(schema, keys, engine="rust" if engine == "rust" else "auto")
        if engine == "loosened":
            validator = validator.loosened()
        reference = Reference(schema, check=False)
        schemas[validator.tier] += 1
        verdicts = []
        for record in records:
            line = encode(record)
            plain = decode(line)
            verdicts.append(is_good(reference, keys, plain))
            fast = passes_quickly(validator, line)
            good[validator.tier] += verdicts[-1]
            quick[validator.tier] += fast
            if fast:
                assert verdicts[-1], (schema, record)
                assert not validator.undeclared(plain), (schema, record)
            assert (not validator.problems(plain)) is verdicts[-1], (schema, record)
        if passes_quickly(validator, b"".join(encode(record) + b"\n" for record in records)):
            assert all(verdicts)

    judge()
    print(f"\n{engine}: schemas {dict(schemas)}, good records {dict(good)}, of these taken quickly {dict(quick)}")
    assert schemas["rust"] >= 100
    assert schemas["reference"] >= 40
    assert engine == "rust" or schemas["typed"] >= 200
    assert quick["rust"] >= 50
    assert engine == "rust" or quick["typed"] >= 200

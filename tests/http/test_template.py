"""Templates: what a field means where."""

from datetime import UTC, datetime

import pytest

from singer_kit.errors import SettingsError
from singer_kit.http.template import (
    parse_template,
    parse_templates,
    render_parameters,
    render_path,
    render_text,
)


def test_path_values_are_percent_encoded_slashes_too() -> None:
    """A value cannot add a path segment, a query or a fragment."""
    template = parse_template("/repos/{repo}/issues")
    assert render_path(template, {"repo": "a b&c/d#e?f"}) == "/repos/a%20b%26c%2Fd%23e%3Ff/issues"


def test_a_path_field_keeps_slashes() -> None:
    """`{repo:path}` is for values that are paths themselves."""
    assert render_path(parse_template("/repos/{repo:path}"), {"repo": "owner/name"}) == "/repos/owner/name"


def test_a_missing_path_value_is_a_settings_error_that_names_it() -> None:
    """A hole in a URL is never sent."""
    with pytest.raises(SettingsError, match="repo"):
        render_path(parse_template("/repos/{repo}"), {})


def test_a_parameter_whose_only_field_has_no_value_is_left_out() -> None:
    """A first read has no bookmark, so `since` is not sent."""
    templates = parse_templates({"since": "{bookmark}", "per_page": 100})
    assert render_parameters(templates, {"bookmark": None}) == {"per_page": 100}


def test_a_value_that_is_one_field_keeps_its_type() -> None:
    """`{ids}` in a JSON body is the list itself."""
    assert render_parameters(parse_templates({"ids": "{ids}"}), {"ids": [1, 2]}) == {"ids": [1, 2]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{bookmark}", "2024-05-06T07:08:09Z"),
        ("{bookmark:%Y-%m-%d}", "2024-05-06"),
        ("{bookmark:epoch}", "1714979289"),
        ("{bookmark:epoch_ms}", "1714979289000"),
        ("updated>{bookmark:%d.%m.}", "updated>06.05."),
        ("{{literal}}", "{literal}"),
    ],
)
def test_instants_are_formatted_as_asked(text: str, expected: str) -> None:
    """Formats are strftime's, or epoch seconds and milliseconds."""
    bookmark = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert render_text(parse_template(text), {"bookmark": bookmark}) == expected


def test_an_open_brace_is_refused() -> None:
    """A text that is no template is a settings error, not a crash."""
    with pytest.raises(SettingsError, match="no template"):
        parse_template("{open")

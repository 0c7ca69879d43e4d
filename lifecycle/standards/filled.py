"""What people type into the form of a document, read as the kinds that the standard names. Pure."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from lifecycle.standards.pack import FormField


def as_value(item: FormField, text: str) -> Any:
    """Return a typed value of a form field; text that does not read as its kind is returned as it is."""
    try:
        match item.kind:
            case "int":
                return int(text)
            case "number" | "percent":
                return float(text)
            case "money":
                minor = Decimal(text) * 100
                return int(minor) if minor == minor.to_integral_value() else text
            case "bool":
                return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
            case "list":
                return json.loads(text) if text.startswith("[") else [one.strip() for one in text.split(",")]
            case "table":
                return json.loads(text)
            case _:
                return text
    except (ValueError, InvalidOperation):
        return text

"""What every part of a standard pack is made of."""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Gate: TypeAlias = Literal["G1", "G2", "G3", "G4", "G5"]


class PackPart(BaseModel):
    """Base of all parts: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(PackPart):
    """One sentence in both languages; a missing one does not pass `standard lint`."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

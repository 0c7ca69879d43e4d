"""Read one stage of the standard pack from its file, as the rules see it."""

from pathlib import Path

import yaml

from lifecycle.standards.pack import EvidenceType, Stage

_PACK = Path(__file__).parents[3] / "lifecycle" / "standards" / "packs" / "default-2026.1"


def stage_of(name: str) -> tuple[Stage, dict[str, EvidenceType]]:
    """Return the stage of this file and its evidence types by id."""
    read = yaml.safe_load((_PACK / f"{name}.yaml").read_text(encoding="utf-8"))
    types = [EvidenceType.model_validate(one) for one in read["evidence_types"]]
    return Stage.model_validate(read["stage"]), {one.id: one for one in types}

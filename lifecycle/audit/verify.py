"""The whole audit trail re-computed, and compared with every checkpoint there is."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from lifecycle.audit import streams
from lifecycle.audit.chains import verify_chains
from lifecycle.audit.checkpoints import compare_file, compare_stored
from lifecycle.audit.findings import Findings, Verification

NO_KEYS: Mapping[str, Ed25519PublicKey] = {}
NO_FILES: Mapping[str, bytes] = {}


def verify(
    session: Session,
    *,
    files: Mapping[str, bytes] = NO_FILES,
    keys: Mapping[str, Ed25519PublicKey] = NO_KEYS,
) -> Verification:
    """Re-compute every chain and compare it with the stored checkpoints and with these files (name -> content).

    Use it inside `reading()`: all must be seen at one instant. Without keys the signatures of stored checkpoints are
    not checked; a file without a known key fails, since its signature is all that it proves.
    """
    findings = Findings()
    with streams.any_bytes(session):
        rows_count, chains_count = verify_chains(session, findings)
        compare_stored(session, findings, keys=keys)
        verdicts = [
            compare_file(session, findings, file=file, content=content, keys=keys) for file, content in files.items()
        ]
    return Verification(
        rows_count=rows_count,
        chains_count=chains_count,
        problems_count=findings.count,
        first_bad_seq=findings.first_bad_seq,
        problems=tuple(findings.problems),
        files=tuple(verdicts),
    )

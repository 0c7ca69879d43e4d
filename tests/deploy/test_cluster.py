"""Several machines as processes on this one: workers are killed with a payment run in hand, and money leaves once."""

import re
import subprocess
import sys

import pytest

from tests import postgres, trees
from tests.conftest import ROOT, skip_or_fail


def cluster(*options: str, seconds: int) -> str:
    """Run `deploy/cluster.py` to its verdict and return what it said."""
    if postgres.programs() is None:
        skip_or_fail(postgres.WHAT_TO_INSTALL)
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cluster", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    finally:
        trees.end(process)
    assert process.returncode == 0, said
    return said


def killed(said: str) -> int:
    """Return how many workers were killed while they held a payment run."""
    return len(re.findall(r"killed (?:one|two)-\d+", said))


@pytest.mark.postgres
class TestACluster:
    @pytest.mark.long
    def test_instructs_each_payout_once_though_a_worker_is_killed(self) -> None:
        said = cluster("--payouts", "100", "--kills", "1", "--seed", "7", seconds=400)
        assert killed(said) == 1

    @pytest.mark.prove
    def test_instructs_1000_payouts_once_though_workers_are_killed_again_and_again(self) -> None:
        said = cluster(seconds=1200)
        assert killed(said) >= 3

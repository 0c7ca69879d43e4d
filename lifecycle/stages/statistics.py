"""Bounds of proportions and reliability, capability indices and their intervals (section 4 of the rule book).

Pure functions in plain Python; nothing is rounded inside, and every result carries its n, method and confidence.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from lifecycle.stages.control_chart import Subgroups, UnusableValuesError, control_chart
from lifecycle.stages.special_functions import beta_cdf, beta_quantile, chi_square_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A one-sided lower bound."""

    method: str
    confidence: float
    n: int
    point: float
    lower: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided interval."""

    method: str
    confidence: float
    n: int
    point: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Indices:
    """Capability of n values; an index that needs a limit which is not there is None."""

    n: int
    method: str
    """`xbar_r` or `i_mr`: where sigma within comes from."""
    mean: float
    sigma_within: float
    sigma_overall: float
    cp: float | None
    cpl: float | None
    cpu: float | None
    cpk: float
    pp: float | None
    ppl: float | None
    ppu: float | None
    ppk: float


def clopper_pearson_lower(good: int, n: int, *, confidence: float) -> Bound:
    """Return the exact one-sided lower bound of a share: the alpha quantile of Beta(k, n-k+1), alpha = 1 - confidence.

    Clopper and Pearson 1934; all good gives alpha^(1/n), none good gives 0. `ValueError` unless 0 <= good <= n, n >= 1.
    """
    _check_share(good, n, confidence)
    alpha = 1 - confidence
    if good == 0:
        lower = 0.0
    elif good == n:
        lower = alpha ** (1 / n)
    else:
        lower = beta_quantile(alpha, good, n - good + 1)
    return Bound(method="clopper_pearson_one_sided", confidence=confidence, n=n, point=good / n, lower=lower)


def wilson_interval(good: int, n: int, *, confidence: float) -> Interval:
    """Return the two-sided score interval of a share without continuity correction (Wilson 1927).

    `ValueError` unless 0 <= good <= n, n >= 1.
    """
    _check_share(good, n, confidence)
    z, share = _two_sided_z(confidence), good / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    lower = 0.0 if good == 0 else middle - half
    upper = 1.0 if good == n else middle + half
    return Interval(method="wilson", confidence=confidence, n=n, point=share, lower=lower, upper=upper)


def smallest_passing_count(n: int, *, point: float, bound: float, confidence: float) -> int | None:
    """Return the fewest good units of n whose share reaches `point` and whose Clopper-Pearson bound reaches `bound`.

    None when not even n of n suffices. The bound for k of n reaches p exactly when I_p(k, n-k+1) <= 1 - confidence.
    """
    if n < smallest_flawless_lot(bound=bound, confidence=confidence) or point > 1:
        return None
    low, high = 0, n
    while low < high:
        k = (low + high) // 2
        reaches = k / n >= point and k > 0 and beta_cdf(bound, k, n - k + 1) <= 1 - confidence
        low, high = (low, k) if reaches else (k + 1, high)
    return low


def smallest_flawless_lot(*, bound: float, confidence: float) -> int:
    """Return the fewest units that, all good, bring the Clopper-Pearson bound to `bound`: the success run."""
    return success_run_size(reliability=bound, confidence=confidence)


def success_run_size(*, reliability: float, confidence: float) -> int:
    """Return how many units must survive without a failure: ceil(ln(1-C) / ln R) (success-run theorem).

    `ValueError` unless both lie between 0 and 1.
    """
    if not (0 < reliability < 1 and 0 < confidence < 1):
        raise ValueError("reliability and confidence lie between 0 and 1")
    # The small step back keeps 1 - 0.9 = 0.09999999999999998 from asking for one unit too many.
    return max(1, math.ceil(math.log(1 - confidence) / math.log(reliability) - 1e-9))


def reliability_lower(tested: int, failures: int, *, confidence: float) -> Bound:
    """Return the lower bound of reliability from a test with any number of failures.

    Exact binomial (Clopper-Pearson); without failures it is the success run (1-C)^(1/n). `ValueError` as there.
    """
    exact = clopper_pearson_lower(tested - failures, tested, confidence=confidence)
    method = "success_run" if failures == 0 else exact.method
    return Bound(method=method, confidence=confidence, n=tested, point=exact.point, lower=exact.lower)


def reliability_sample_size(failures: int, *, reliability: float, confidence: float) -> int:
    """Return the fewest units whose test with this many failures still shows the reliability (exact binomial)."""
    fewest = success_run_size(reliability=reliability, confidence=confidence)
    if failures == 0:
        return fewest

    def shows(n: int) -> bool:
        return beta_cdf(reliability, n - failures, failures + 1) <= 1 - confidence

    low, high = failures + 1, failures + fewest
    while not shows(high):
        low, high = high + 1, 2 * high
    while low < high:
        n = (low + high) // 2
        low, high = (low, n) if shows(n) else (n + 1, high)
    return low


def capability_indices(subgroups: Subgroups, *, lower: float | None, upper: float | None) -> Indices:
    """Return Cp, Cpk with the spread within subgroups and Pp, Ppk with the overall one (n-1); section 4.

    Cp = (USL-LSL)/6 sigma, Cpk = min(USL-mean, mean-LSL)/3 sigma (Kane 1986); with one limit only that side.
    Raises `UnusableValuesError`: the codes of `control_chart`, `no_limits`, or `no_variation` when either sigma is 0.
    """
    chart = control_chart(subgroups)
    if lower is None and upper is None:
        raise UnusableValuesError("no_limits")
    values = [value for group in subgroups for value in group]
    overall = math.sqrt(math.fsum((value - chart.centre) ** 2 for value in values) / (len(values) - 1))
    if chart.sigma_within == 0 or overall == 0:
        raise UnusableValuesError("no_variation")
    cp, cpl, cpu, cpk = _four_indices(chart.centre, chart.sigma_within, lower, upper)
    pp, ppl, ppu, ppk = _four_indices(chart.centre, overall, lower, upper)
    return Indices(
        n=chart.n,
        method=chart.method,
        mean=chart.centre,
        sigma_within=chart.sigma_within,
        sigma_overall=overall,
        cp=cp,
        cpl=cpl,
        cpu=cpu,
        cpk=cpk,
        pp=pp,
        ppl=ppl,
        ppu=ppu,
        ppk=ppk,
    )


def taguchi_index(index: float, *, mean: float, sigma: float, target: float) -> float:
    """Return Cpm (or Ppm) = Cp / sqrt(1 + ((mean - target)/sigma)^2) from Cp (Pp) and its sigma (Chan 1988)."""
    return index / math.sqrt(1 + ((mean - target) / sigma) ** 2)


def cp_interval(index: float, n: int, *, confidence: float) -> Interval:
    """Return the two-sided interval of Cp or Pp: index · sqrt(chi²(q; n-1)/(n-1)) (Kane 1986)."""
    tail, degrees = (1 - confidence) / 2, n - 1
    low, high = (index * math.sqrt(chi_square_quantile(q, degrees) / degrees) for q in (tail, 1 - tail))
    return Interval(method="chi_square", confidence=confidence, n=n, point=index, lower=low, upper=high)


def bissell_lower(index: float, n: int, *, confidence: float) -> Bound:
    """Return the one-sided lower bound of Cpk or Ppk: C - z · sqrt(1/(9n) + C²/(2(n-1))) (Bissell 1990).

    `ValueError` when n < 2.
    """
    half = NormalDist().inv_cdf(confidence) * _bissell_error(index, n)
    return Bound(method="bissell_one_sided", confidence=confidence, n=n, point=index, lower=index - half)


def bissell_interval(index: float, n: int, *, confidence: float) -> Interval:
    """Return the two-sided interval of Cpk or Ppk: C ± z · sqrt(1/(9n) + C²/(2(n-1))) (Bissell 1990)."""
    half = _two_sided_z(confidence) * _bissell_error(index, n)
    return Interval(method="bissell", confidence=confidence, n=n, point=index, lower=index - half, upper=index + half)


def index_needed(bound: float, n: int, *, confidence: float) -> float | None:
    """Return the observed Cpk or Ppk whose Bissell lower bound is `bound`: the larger root of the quadratic in C.

    None when n is so small that no index suffices (z² >= 2(n-1)).
    """
    z = NormalDist().inv_cdf(confidence)
    if n < 2 or z * z >= 2 * (n - 1):
        return None
    a, b = z * z / (2 * (n - 1)), z * z / (9 * n)
    return (bound + math.sqrt(bound * bound - (1 - a) * (bound * bound - b))) / (1 - a)


def _four_indices(
    mean: float, sigma: float, lower: float | None, upper: float | None
) -> tuple[float | None, float | None, float | None, float]:
    below = None if lower is None else (mean - lower) / (3 * sigma)
    above = None if upper is None else (upper - mean) / (3 * sigma)
    both = None if lower is None or upper is None else (upper - lower) / (6 * sigma)
    return both, below, above, min(side for side in (below, above) if side is not None)


def _bissell_error(index: float, n: int) -> float:
    if n < 2:
        raise ValueError("a capability index needs at least two values")
    return math.sqrt(1 / (9 * n) + index * index / (2 * (n - 1)))


def _two_sided_z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _check_share(good: int, n: int, confidence: float) -> None:
    if not (0 <= good <= n and n >= 1):
        raise ValueError("a share needs 0 <= good <= n and n >= 1")
    if not 0 < confidence < 1:
        raise ValueError("confidence lies between 0 and 1")

"""Regularised incomplete beta and gamma functions and their inverses, in plain Python.

The quantiles behind the confidence bounds of `statistics.py`. Accurate to 1e-10 and better; no numerical library.
"""

import itertools
import math
from collections.abc import Callable, Iterator

_TINY = 1e-300
_CLOSE = 1e-16
_MOST_TERMS = 100_000
_MOST_STEPS = 400


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0.

    Continued fraction DLMF 8.17.22, on the side of the mean where it converges fast, else by I_x(a,b) = 1 - I_1-x(b,a).
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - math.exp(_log_beta_weight(x, a, b)) * _continued_fraction(_beta_terms(1 - x, b, a)) / b
    return math.exp(_log_beta_weight(x, a, b)) * _continued_fraction(_beta_terms(x, a, b)) / a


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = p, for 0 < p < 1."""

    def density(x: float) -> float:
        return math.exp(_log_beta_weight(x, a, b)) / (x * (1 - x))

    return _root(lambda x: beta_cdf(x, a, b) - p, density, low=0.0, high=1.0)


def chi_square_quantile(p: float, degrees: float) -> float:
    """Return x with P(degrees/2, x/2) = p, for 0 < p < 1; the degrees of freedom need not be whole."""
    a = degrees / 2

    def density(x: float) -> float:
        return math.exp(a * math.log(x) - x - math.lgamma(a)) / x

    high = a + 1
    while gamma_cdf(high, a) < p:
        high *= 2
    return 2 * _root(lambda x: gamma_cdf(x, a) - p, density, low=0.0, high=high)


def gamma_cdf(x: float, a: float) -> float:
    """Return the regularised lower incomplete gamma function P(a, x) for a > 0 (DLMF 8.11.4 and 8.9.2)."""
    if x <= 0:
        return 0.0
    weight = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return weight * _gamma_series(x, a)
    return 1 - weight * _continued_fraction(_gamma_terms(x, a))


def _log_beta_weight(x: float, a: float, b: float) -> float:
    """Return the logarithm of x^a (1-x)^b / B(a, b)."""
    return a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)


def _beta_terms(x: float, a: float, b: float) -> Iterator[tuple[float, float]]:
    yield 1.0, 1.0
    for m in itertools.count():
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0
        yield (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2)), 1.0


def _gamma_terms(x: float, a: float) -> Iterator[tuple[float, float]]:
    yield 1.0, x + 1 - a
    for m in itertools.count(1):
        yield -m * (m - a), x + 2 * m + 1 - a


def _gamma_series(x: float, a: float) -> float:
    term = total = 1 / a
    for k in range(1, _MOST_TERMS):
        term *= x / (a + k)
        total += term
        if term <= total * _CLOSE:
            return total
    raise ArithmeticError("series of the incomplete gamma function does not converge")


def _continued_fraction(terms: Iterator[tuple[float, float]]) -> float:
    """Return a1/(b1 + a2/(b2 + ...)) by the modified method of Lentz (DLMF 3.10.iii)."""
    value = upper = _TINY
    lower = 0.0
    for numerator, denominator in itertools.islice(terms, _MOST_TERMS):
        lower = 1 / ((denominator + numerator * lower) or _TINY)
        upper = (denominator + numerator / upper) or _TINY
        value *= upper * lower
        if abs(upper * lower - 1) <= 4 * _CLOSE:
            return value
    raise ArithmeticError("continued fraction does not converge")


def _root(rising: Callable[[float], float], slope: Callable[[float], float], *, low: float, high: float) -> float:
    """Return where a rising function crosses zero: Newton, held inside a shrinking bracket by bisection."""
    x = (low + high) / 2
    for _ in range(_MOST_STEPS):
        gap = rising(x)
        low, high = (low, x) if gap > 0 else (x, high)
        steepness = slope(x)
        guess = x - gap / steepness if steepness > 0 else low
        if not low < guess < high:
            guess = (low + high) / 2
        if abs(guess - x) <= 4 * _CLOSE * abs(guess):
            return guess
        x = guess
    return x

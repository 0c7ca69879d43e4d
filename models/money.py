"""Which currencies are taken in, how many minor digits each has, and the upper limit of one amount."""

MAX_MINOR = 10**13
"""Upper limit of one amount in minor units (limits table, one amount)."""

CURRENCY_DECIMALS = {
    "AUD": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "JPY": 0,
    "KRW": 0,
    "NZD": 2,
    "RON": 2,
    "SEK": 2,
    "SGD": 2,
    "TWD": 2,
    "USD": 2,
}
"""Currencies taken in, with their minor digits (ISO 4217). Those with three digits are left out on purpose."""

#!/usr/bin/env bash
# CurrencyConverter 0.18.23 (PyPI), with the rates of the European Central Bank that it holds. Seen 2026-11-29.
# Expected: `convert` without a date uses "the last available rate" of two currencies, and refuses a date outside the bounds of one of
#   them (README, "Usage" and "Fallback"): rubles, which the bank has not quoted since 1 March 2022, are refused today either way.
# Happens: the date left out is the last one of the currency one comes *from*. So 1000 rubles are 9.52 dollars, the rate of 1 March 2022,
#   without a warning, while dollars to rubles are an error; and 1000 rubles are 133 lira, 13.9 to the dollar, where the dollar has 49.9 today.
# Who meets it: whoever turns costs or values of the Russian side into dollars: figures of 2026 at the rate of one day of 2022.
# corridor_sim: converts no currency: costs are stated in US dollars, each with its source (docs/appraisal.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "CurrencyConverter==0.18.23" 2>/dev/null

cat > "$work/rubles.py" <<'PY'
import warnings

from currency_converter import CurrencyConverter, RateNotFoundError

warnings.simplefilter("error")
rates = CurrencyConverter()
for one in ("RUB", "USD", "TRY"):
    print(one, "until", rates.bounds[one].last_date)
for start, end in (("RUB", "EUR"), ("RUB", "USD"), ("RUB", "TRY"), ("USD", "RUB"), ("EUR", "RUB"), ("USD", "TRY")):
    try:
        print("1000", start, "=", f"{rates.convert(1000, start, end):.2f}", end)
    except RateNotFoundError as error:
        print("1000", start, "->", end, type(error).__name__)
PY

cat > "$work/expected" <<'TXT'
RUB until 2022-03-01
USD until 2026-10-30
TRY until 2026-10-30
1000 RUB = 8.53 EUR
1000 RUB = 9.52 USD
1000 RUB = 132.69 TRY
1000 USD -> RUB RateNotFoundError
1000 EUR -> RUB RateNotFoundError
1000 USD = 49947.64 TRY
TXT
"$work/venv/bin/python" "$work/rubles.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"

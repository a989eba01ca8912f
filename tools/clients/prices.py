"""Azure's public Retail Prices API: asks it for list prices. Which row is wanted, and what becomes of it, is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tools.values.trouble import WorldProblem

PUBLIC_URL = "https://prices.azure.com"
API_VERSION = "2023-01-01-preview"
PAGES_MAX = 20
SECONDS_MAX = 30.0


class RetailPrices:
    def __init__(self, url: str = PUBLIC_URL, ca_file: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # A server that is too busy is worth waiting for; one that refuses to connect is tried once more.
        retry = Retry(total=4, connect=1, backoff_factor=1.0, status_forcelist=(429, 500, 502, 503), respect_retry_after_header=True)
        self._session.mount("https://", HTTPAdapter(max_retries=retry))
        # A machine's own REQUESTS_CA_BUNDLE would win over `verify` otherwise.
        self._session.trust_env = ca_file is None
        if ca_file is not None:
            self._session.verify = str(ca_file)

    def rows(self, query: str, currency: str = "USD") -> Iterator[dict[str, Any]]:
        """Every item that an OData filter matches. Raises WorldProblem when the API is away or answers something else."""
        address: str | None = f"{self._url}/api/retail/prices"
        parameters: dict[str, str] | None = {"api-version": API_VERSION, "currencyCode": currency, "$filter": query}
        for _ in range(PAGES_MAX):
            if not address:
                return
            try:
                answer = self._session.get(address, params=parameters, timeout=SECONDS_MAX)
                answer.raise_for_status()
                page = answer.json()
                yield from page["Items"]
                address, parameters = page.get("NextPageLink"), None
            except (requests.RequestException, ValueError, KeyError, TypeError) as fault:
                raise WorldProblem(
                    "The price list cannot be had.",
                    f"{self._url} did not give it ({type(fault).__name__}).",
                    "The prices in use stay as they are; try again later.",
                    retryable=True,
                ) from None

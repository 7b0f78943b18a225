"""Asks the running service over HTTP, and says in words why it did not answer.

A path and its parameters come in; a decoded answer comes out, or ``ToolError``. Called by
``tools``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from recsys import __version__

#: Slower than any answer should be, quicker than people wait.
_SECONDS: Final = 15.0
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
#: What whoever runs the assistant does about a refusal; for others the service's detail says it.
_ADVICE: Final = {
    "key-missing": "Whoever runs this assistant has to set OMNIBASKET_API_KEY.",
    "key-unknown": "Whoever runs this assistant has to set another OMNIBASKET_API_KEY.",
    "key-expired": "Whoever runs this assistant has to set another OMNIBASKET_API_KEY.",
    "scope-missing": "Whoever runs this assistant has to give it a key with that scope.",
    "location-forbidden": "Whoever runs this assistant has to start it with another --location.",
    "channel-forbidden": "Whoever runs this assistant has to start it with another --placement, or "
    "another key.",
    "item-unknown": "find_products finds the item_id of a product.",
}

Params = Mapping[str, str | int | bool | Sequence[str] | None]


class ToolError(Exception):
    """Why a tool has no answer, for the assistant to read."""

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class _Fault(msgspec.Struct):
    pointer: str = ""
    detail: str = ""


class _Problem(msgspec.Struct):
    """What the service says of an error, RFC 9457."""

    title: str
    type: str = ""
    detail: str = ""
    errors: list[_Fault] = []


class Service:
    """A running service.

    Parameters
    ----------
    url : str
        Without a path under ``/v1``.
    key : str or None
        Sent with every question.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"User-Agent": f"omnibasket-mcp/{__version__}"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        local = urlsplit(self.url).hostname in _LOCAL  # no proxy leads to this machine
        self._client = httpx2.AsyncClient(
            base_url=self.url, headers=headers, timeout=_SECONDS, trust_env=not local
        )

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def get(self, path: str, params: Params) -> Any:
        """Ask with GET.

        Parameters
        ----------
        path : str
        params : mapping
            Of the query; those that are None or empty are left out.

        Raises
        ------
        ToolError
            When the service does not answer, or answers with a problem.
        """
        query = {name: _written(value) for name, value in params.items() if value not in (None, ())}
        try:
            answer = await self._client.get(path, params=cast(dict[str, Any], query))
        except httpx2.TimeoutException:
            raise ToolError(
                f"The service at {self.url} did not answer in time. Try again in a moment.", "slow"
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ToolError(
                f"The service at {self.url} cannot be reached ({error or type(error).__name__}). "
                "Whoever runs it has to start it: `omnibasket serve`. Until then say that the shop "
                "cannot be asked at the moment; do not guess products, prices or stock.",
                "down",
            ) from None
        if answer.status_code == httpx2.codes.OK:
            try:
                return msgspec.json.decode(answer.content)
            except msgspec.DecodeError:
                raise self._strange(answer) from None
        raise self._problem(answer)

    def _problem(self, answer: httpx2.Response) -> ToolError:
        try:
            said = msgspec.json.decode(answer.content, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._strange(answer)
        kind = said.type.rpartition("#")[2]
        faults = [f"{fault.pointer.lstrip('/')} {fault.detail}" for fault in said.errors]
        parts = [f"{said.title}.", said.detail, *faults, _ADVICE.get(kind, "")]
        if wait := answer.headers.get("Retry-After"):
            parts.append(f"Ask again in {wait} s.")
        return ToolError(" ".join(part for part in parts if part), kind)

    def _strange(self, answer: httpx2.Response) -> ToolError:
        return ToolError(
            f"What answered at {self.url} is no Omnibasket service (status {answer.status_code}). "
            "Whoever runs this assistant has to start it with another --url."
        )


def _written(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)

"""The only door to vkbottle, and what had to be mended in it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, FormData, TCPConnector
from vkbottle.api import API
from vkbottle.api.response_validator import ABCResponseValidator
from vkbottle.exception_factory import CaptchaError, VKAPIError
from vkbottle.http import ABCHTTPClient

from bot.channels.base import Unfinished
from bot.channels.vk.raw import Json, parse_object

__all__ = ["API_VERSION", "Api", "Http", "Refused", "VKAPIError"]

API_VERSION = "5.199"
WAIT_SECONDS = 25
"""How long VK holds a poll that has nothing to say (at most 90)."""
CALL_TIMEOUT = ClientTimeout(total=30, connect=10)
POLL_TIMEOUT = ClientTimeout(total=WAIT_SECONDS + 15, connect=10)
UPLOAD_TIMEOUT = ClientTimeout(total=120, connect=10)


class Api(API):
    """The library's API object with a token that stays out of addresses and a log without texts."""

    def __init__(self, token: str, http: Http, *, url: str | None) -> None:
        super().__init__(token, http_client=http)
        if url is not None:
            self.API_URL = url.rstrip("/").removesuffix("/method") + "/method/"
        # The stock ones repeat an HTML answer after five seconds and log what people wrote.
        self.response_validators = [_Answers()]

    async def request(self, method: str, data: Json, version: str | None = None) -> Json:
        """Make one call, everything in the body."""
        form = await self.validate_request({name: value for name, value in data.items() if value is not None})
        async with self.token_generator as token:
            form |= {"access_token": token, "v": version or API_VERSION}
            text = await self.http_client.request_text(self.API_URL + method, method="POST", data=form)
        answer: Json = await self.validate_response(method, {}, text)
        return answer


class _Answers(ABCResponseValidator):
    """Reads VK's answers: an error is raised at once, what is not an answer leaves the fate unknown."""

    async def validate(
        self,
        method: str,  # noqa: ARG002 - the library's signature
        data: Json,  # noqa: ARG002
        response: Any,
        ctx_api: Any,  # noqa: ARG002
    ) -> Json:
        """Return the answer or raise."""
        answer = parse_object(response)
        error = answer.get("error")
        if isinstance(error, dict):
            code, words = int(error.get("error_code", 1)), str(error.get("error_msg", ""))
            if code == CaptchaError.code:
                raise CaptchaError(error_msg=words, captcha_sid="", captcha_img="")
            raise VKAPIError[code](error_msg=words)
        if "response" not in answer:
            raise Unfinished("VK ответил не по форме")
        return answer


class Refused(Exception):
    """An HTTP answer that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Http(ABCHTTPClient):
    """One HTTP session of our own, opened at the first request."""

    def __init__(self, ca_bundle: Path | None) -> None:
        self._tls: ssl.SSLContext | bool = True
        if ca_bundle is not None:
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(cafile=ca_bundle)
        self._session: ClientSession | None = None

    async def request_raw(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> Any:
        """Make a request and return (status, body)."""
        kwargs.setdefault("timeout", CALL_TIMEOUT)
        async with self._open().request(method, url, data=data, allow_redirects=False, **kwargs) as response:
            return response.status, await response.read()

    async def request_content(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> bytes:
        """Make a request and return the body, whatever the status."""
        _, body = await self.request_raw(url, method, data, **kwargs)
        return bytes(body)

    async def request_text(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> str:
        """Make a request and return the body as text, whatever the status."""
        return (await self.request_content(url, method, data, **kwargs)).decode("utf-8", "replace")

    async def request_json(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> Json:
        """Make a request and return the object in its successful answer."""
        status, body = await self.request_raw(url, method, data, **kwargs)
        if status != 200:  # noqa: PLR2004 - HTTP
            raise Refused(status)
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise TypeError("not an object")
        return answer

    async def poll(self, url: str, query: Mapping[str, str]) -> Json:
        """Ask the long poll server."""
        return await self.request_json(url, params=query, timeout=POLL_TIMEOUT)

    async def upload(self, url: str, data: bytes, *, field: str, name: str, mime: str) -> Json:
        """Post one file as a form."""
        form = FormData()
        form.add_field(field, data, filename=name, content_type=mime)
        return await self.request_json(url, "POST", form, timeout=UPLOAD_TIMEOUT)

    async def download(self, url: str, *, limit: int) -> bytes | None:
        """Get a file, or None when it is larger than `limit`."""
        async with self._open().get(url, timeout=UPLOAD_TIMEOUT) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP
                raise Refused(response.status)
            if (response.content_length or 0) > limit:
                return None
            body = bytearray()
            async for chunk in response.content.iter_chunked(65536):
                body += chunk
                if len(body) > limit:
                    return None
            return bytes(body)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _open(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(ssl=self._tls)
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
        return self._session

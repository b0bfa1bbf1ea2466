"""Talking to the Bot API: one bot, its connections, its errors."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientHttpProxyError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)

from bot.channels.base import Closed
from bot.channels.telegram.library import (
    PRODUCTION,
    AiogramError,
    AiohttpSession,
    Bot,
    ClientDecodeError,
    Response,
    TelegramAPIServer,
    TelegramEntityTooLarge,
    TelegramMethod,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TokenValidationError,
)

# Seconds.
CONNECT_TIMEOUT = 10
CALL_TIMEOUT = 30
UPLOAD_TIMEOUT = 120
UNNAMED_SLOW_DOWN = 10  # a 429 that does not say how long

_T = TypeVar("_T")


class Client:
    """A bot with its connections."""

    def __init__(self, token: str, *, api_url: str | None, proxy: str | None, ca_bundle: Path | None) -> None:
        self._session = Session(_server(api_url), proxy=proxy, ca_bundle=ca_bundle)
        try:
            self._bot = Bot(token, session=self._session)
        except TokenValidationError:
            raise Closed(
                "Токен Telegram записан неверно: проверьте HELPDESK_TELEGRAM_TOKEN (вид: 123456:ABC…)"
            ) from None

    async def call(self, method: TelegramMethod[_T], *, within: int = CALL_TIMEOUT) -> _T:
        """Call a method; raises `AiogramError` and nothing else."""
        return await self._bot(method, request_timeout=within)

    def download(self, path: str) -> AsyncGenerator[bytes, None]:
        """Give a file in parts; raises aiohttp's errors, and the address in them holds the token."""
        url = self._session.api.file_url(self._bot.token, path)
        return self._session.stream_content(url, timeout=UPLOAD_TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


class NotConnected(TelegramNetworkError):
    """There was no connection, so the request was certainly not carried out."""


class Session(AiohttpSession):
    """aiogram's session with a time-out for connecting, our own CA bundle, and a plain HTTP proxy."""

    def __init__(self, server: TelegramAPIServer, *, proxy: str | None, ca_bundle: Path | None) -> None:
        # aiohttp speaks to HTTP proxies itself; for SOCKS aiogram borrows the connector of aiohttp-socks.
        socks = proxy if proxy and proxy.startswith("socks") else None
        try:
            super().__init__(api=server, proxy=socks, timeout=CALL_TIMEOUT)
        except RuntimeError:
            raise Closed("Для прокси SOCKS установите библиотеку aiohttp-socks") from None
        except ValueError:
            raise Closed("HELPDESK_TELEGRAM_PROXY: адрес прокси записан неверно") from None
        self._http_proxy = None if socks else _proxy_address(proxy)
        if ca_bundle is not None:
            self._connector_init["ssl"] = _trust(ca_bundle)
        self._forms_of_answers: dict[str, object] = {}

    async def create_session(self) -> ClientSession:
        """Open the connections at the first request."""
        if self._session is None or self._session.closed:
            connector = self._connector_type(**self._connector_init)
            self._session = ClientSession(connector=connector, proxy=self._http_proxy)
        return self._session

    async def close(self) -> None:
        """Close them; unlike the parent, without a pause for connections that aiohttp awaits by itself."""
        if self._session is not None:
            await self._session.close()

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[_T],
        timeout: int | None = None,  # noqa: ASYNC109
    ) -> _T:
        """Call a method; raises `AiogramError` and nothing else, with no address in its text."""
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        limits = ClientTimeout(total=timeout or self.timeout, connect=CONNECT_TIMEOUT)
        try:
            form = self.build_form_data(bot=bot, method=method)
            async with session.post(url, data=form, timeout=limits) as answer:
                content = (await answer.read()).decode(errors="replace")
        except (ClientConnectorError, ConnectionTimeoutError, ClientHttpProxyError) as error:
            raise NotConnected(method=method, message=type(error).__name__) from None
        except Exception as error:  # SOCKS connectors have a family of errors of their own
            raise TelegramNetworkError(method=method, message=type(error).__name__) from None
        response = self.check_response(bot=bot, method=method, status_code=answer.status, content=content)
        if response.result is None:
            raise ClientDecodeError("no result", ValueError(), None)
        return response.result

    def check_response(
        self, bot: Bot, method: TelegramMethod[_T], status_code: int, content: str
    ) -> Response[_T]:
        """Turn refusals into errors, also those that come without the JSON or the field they should have."""
        if method.__api_method__ not in self._forms_of_answers:
            # pydantic forgets a form that nobody holds, and to make it anew costs more than all the rest.
            form: object = Response[method.__returning__]  # type: ignore[name-defined]
            self._forms_of_answers[method.__api_method__] = form
        try:
            return super().check_response(bot, method, status_code, content)
        except TelegramRetryAfter:
            raise
        except AiogramError as error:
            if status_code == HTTPStatus.TOO_MANY_REQUESTS:
                message = "Too Many Requests"
                raise TelegramRetryAfter(method, message, retry_after=UNNAMED_SLOW_DOWN) from None
            if status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise TelegramEntityTooLarge(method, "Request Entity Too Large") from None
            if status_code == HTTPStatus.GATEWAY_TIMEOUT:
                # Somebody on the way has waited in vain: what became of the request is not known.
                raise TelegramNetworkError(method, "Gateway Timeout") from None
            if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and isinstance(error, ClientDecodeError):
                raise TelegramServerError(method, f"{status_code} without words") from None
            raise


def _server(api_url: str | None) -> TelegramAPIServer:
    if api_url is None:
        return PRODUCTION
    if not _is_http(api_url):
        raise Closed("HELPDESK_TELEGRAM_API_URL: нужен адрес вида https://…")
    return TelegramAPIServer.from_base(api_url)


def _proxy_address(proxy: str | None) -> str | None:
    if proxy and not _is_http(proxy):
        raise Closed("HELPDESK_TELEGRAM_PROXY: нужен адрес вида http://… или socks5://…")
    return proxy or None


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _trust(ca_bundle: Path) -> ssl.SSLContext:
    """Trust these certificates besides the usual ones (the national CA, for one)."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise Closed(f"HELPDESK_CA_BUNDLE: не читается файл сертификатов {ca_bundle}") from None
    return context

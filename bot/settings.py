"""Settings from the environment or `.env`; a name or value that is wrong stops the start with a sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HELPDESK_"


class SettingsError(Exception):
    """A setting cannot be used; one Russian sentence that names it."""


class Settings(BaseSettings):
    """Everything that differs from one installation to another."""

    # An empty value, as in .env.example, means «not set».
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: str = ""
    data_dir: Path = Path("data")
    listen: str = "127.0.0.1:8080"
    public_url: str = ""
    region: str = "adygea"
    timezone: str = ""
    semantic: Literal["auto", "off"] = "auto"
    keep_days: int = Field(default=180, ge=30, le=36500)
    messages_per_minute: int = Field(default=20, ge=5, le=10_000)
    messages_per_hour: int = Field(default=200, ge=20, le=100_000)
    announcements_per_week: int = Field(default=2, ge=1, le=50)
    telegram_token: SecretStr | None = None
    telegram_api_url: str | None = None
    telegram_proxy: str | None = None
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: SecretStr | None = None
    vk_token: SecretStr | None = None
    vk_group_id: int | None = Field(default=None, gt=0)
    vk_api_url: str | None = None
    vk_mode: Literal["polling", "callback"] = "polling"
    vk_confirmation: str | None = None
    vk_secret: SecretStr | None = None
    ca_bundle: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @property
    def database(self) -> str:
        """The database's address; by default one file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'helpdesk.db'}"

    @property
    def host(self) -> str:
        """Where to listen."""
        return self.listen.rpartition(":")[0] or "127.0.0.1"

    @property
    def port(self) -> int:
        """Where to listen."""
        return int(self.listen.rpartition(":")[2])

    @property
    def public(self) -> str:
        """The address by which people reach us, without a slash at the end."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        port = value.rpartition(":")[2]
        if not (port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
            raise ValueError("нужен адрес вида 127.0.0.1:8080")
        return value

    @field_validator("public_url", "telegram_api_url", "vk_api_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("нужен адрес, который начинается с https://")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError("нужен часовой пояс вида Europe/Moscow") from error
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("нужны 1–256 знаков A–Z a–z 0–9 _ -")
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"файла «{value}» нет")
        return value


_LAST_PORT = 65535
_MESSAGES = {
    "literal_error": "можно только: {expected}",
    "int_parsing": "нужно целое число",
    "greater_than": "нужно положительное число",
    "greater_than_equal": "нужно число не меньше {ge}",
    "less_than_equal": "нужно число не больше {le}",
}


def load(*, env_file: Path = Path(".env")) -> Settings:
    """Read the settings; the environment wins over the file. Raises `SettingsError`."""
    _refuse_unknown(os.environ, "окружение")
    _refuse_unknown(_read(env_file), str(env_file))
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        template = _MESSAGES.get(first["type"], "")
        told = template.format(**first.get("ctx", {})) if template else str(first["msg"])
        told = told.removeprefix("Value error, ").replace(" or ", " или ")
        raise SettingsError(f"Настройка {name}: {told}.") from error


def names() -> tuple[str, ...]:
    """The names of all settings as the environment knows them."""
    return tuple(PREFIX + name.upper() for name in Settings.model_fields)


def _read(env_file: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(env_file) if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Файл настроек {env_file} не читается: {error}.") from error


def _refuse_unknown(values: Mapping[str, str | None], source: str) -> None:
    known = names()
    for name in values:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            close = get_close_matches(name.upper(), known, n=1)
            hint = f" Может быть, {close[0]}?" if close else " Все имена есть в .env.example."
            raise SettingsError(f"Настройки {name} нет ({source}).{hint}")

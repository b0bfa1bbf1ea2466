"""Telegram: one bot, alone with people and in their groups, by long polling or a webhook.

Channels, other bots and what people in groups say to each other are skipped.
"""

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.webhook import Webhook

__all__ = ["TelegramChannel", "Webhook"]

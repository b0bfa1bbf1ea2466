"""Telegram: private chats with one bot, by long polling or a webhook.

Groups, supergroups, channels and what the bot itself wrote are skipped for now.
"""

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.webhook import Webhook

__all__ = ["TelegramChannel", "Webhook"]

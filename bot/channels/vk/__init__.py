"""VK: a community's messages, by Bots Long Poll or by the Callback API.

Events are read as raw dictionaries, because the library's strict models reject what VK adds tomorrow. The
library's polling and its default client are not used either: the first keeps its place in a file of its own
and confirms what was not handled, the second has no time-outs and puts the token into addresses.
In group chats (peer_id from 2000000000) only what is meant for us is read; the community's own messages are
skipped everywhere. A message in a group chat has no number but the one inside that chat.
"""

from bot.channels.vk.callback import CALLBACK_BODY_LIMIT, Callback
from bot.channels.vk.channel import VkChannel
from bot.channels.vk.events import translate
from bot.channels.vk.sending import random_id
from bot.channels.vk.wall import WALL

__all__ = ["CALLBACK_BODY_LIMIT", "WALL", "Callback", "VkChannel", "random_id", "translate"]

"""VK: a community's messages, by Bots Long Poll or by the Callback API.

Events are read as raw dictionaries, because the library's strict models reject what VK adds tomorrow. The
library's polling and its default client are not used either: the first keeps its place in a file of its own
and confirms what was not handled, the second has no time-outs and puts the token into addresses.
Conversations of several people (peer_id from 2000000000) and the community's own messages are skipped.
"""

from bot.channels.vk.callback import CALLBACK_BODY_LIMIT, Callback
from bot.channels.vk.channel import VkChannel
from bot.channels.vk.events import translate
from bot.channels.vk.sending import random_id

__all__ = ["CALLBACK_BODY_LIMIT", "Callback", "VkChannel", "random_id", "translate"]

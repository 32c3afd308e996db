"""The only registry of channels: the config's word -> a dataclass whose fields are its settings."""

from alerting.channels.kannel import Kannel
from alerting.channels.smtp import Smtp

CHANNELS: dict[str, type[Smtp | Kannel]] = {"smtp": Smtp, "kannel": Kannel}

"""The only registry of channels: the config's word -> a dataclass whose fields are its settings."""

from alerting.channels.apprise import Apprise
from alerting.channels.gammu import Gammu
from alerting.channels.kannel import Kannel
from alerting.channels.smtp import Smtp
from alerting.channels.webhook import Webhook

CHANNELS: dict[str, type[Smtp | Kannel | Gammu | Webhook | Apprise]] = {
    "smtp": Smtp,
    "kannel": Kannel,
    "gammu": Gammu,
    "webhook": Webhook,
    "apprise": Apprise,
}

"""What the fake SMS centre prints is read back as the messages that a handset would show."""

from pathlib import Path

from tests.lab.messages import Sms, received_sms

PRINTED = """\
2026-09-01 12:00:00 [7] [0] INFO: fakesmsc starting
2026-09-01 12:00:01 [7] [0] DEBUG: Got message 1: <100 +1868 text OUTAGE <BB> #4711>
2026-09-01 12:00:01 [7] [0] DEBUG: Got message 2: <ligne 2>
2026-09-01 12:00:02 [7] [0] DEBUG: Got message 3: <100 200 ucs-2 %00c%00a%00%ED%00d%00o%00+>
2026-09-01 12:00:03 [7] [0] DEBUG: Got message 4: <100 200 data caf%E9>
"""


def test_texts_lines_and_codings(tmp_path: Path) -> None:
    (tmp_path / "fakesmsc.err").write_text(PRINTED)
    assert received_sms(tmp_path) == [
        Sms("100", "+1868", "OUTAGE <BB> #4711\nligne 2"),
        Sms("100", "200", "caído "),
        Sms("100", "200", "café"),
    ]

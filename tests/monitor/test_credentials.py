"""A secret's file that the service may not read is handed over by systemd (LoadCredential=, systemd.exec(5))."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, load

YAML = "channels: {{mail: {{enabled: true, host: h.net, sender: a@h.net, username: l, password: {{file: {place}}}}}}}\n"


def folder(tmp_path: Path, place: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "lambi.yaml").write_text(YAML.format(place=place))
    return tmp_path / "config"


def test_the_handed_over_one_is_found_under_the_files_name(tmp_path: Path) -> None:
    handed = tmp_path / "credentials"
    handed.mkdir()
    (handed / "secrets_mail").write_text("from systemd\n")
    config = folder(tmp_path, tmp_path / "secrets" / "mail")
    settings = load(config, {"CREDENTIALS_DIRECTORY": str(handed)})
    assert settings.channels["mail"].password == "from systemd"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "mail").write_text("from the file\n")
    assert load(config, {"CREDENTIALS_DIRECTORY": str(handed)}).channels["mail"].password == "from the file"


@pytest.mark.parametrize("environ", [{}, {"CREDENTIALS_DIRECTORY": "/nowhere"}])
def test_where_neither_is_the_file_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"password.file: .*/secrets/mail cannot be read: No such file"):
        load(folder(tmp_path, tmp_path / "secrets" / "mail"), environ)

"""The tokens of those who ask over the network."""

from datetime import timedelta
from pathlib import Path

import pytest

from gavo_exec.access import Scope
from gavo_exec.control import RefusedError, UnknownNameError
from gavo_exec.errors import StoreError
from gavo_exec.services.tokens import TokenFile
from gavo_exec.testing import EPOCH

HOUR = timedelta(hours=1)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(str(tmp_path))


def test_a_secret_finds_its_token_and_nothing_else_does(tokens: TokenFile) -> None:
    one, two = tokens.add("jo", Scope.OPERATE, now=EPOCH), tokens.add("al", Scope.READ, now=EPOCH)
    found = tokens.find(one, now=EPOCH)
    assert found is not None
    assert (found.name, found.scope) == ("jo", Scope.OPERATE)
    for secret in ("", "jo", one[:-1], f"{one} ", two.upper(), found.digest, "\ud800"):
        assert tokens.find(secret, now=EPOCH) is None


def test_tokens_expire(tokens: TokenFile) -> None:
    secret = tokens.add("jo", Scope.READ, now=EPOCH, expires_at=EPOCH + HOUR)
    assert tokens.find(secret, now=EPOCH + HOUR - timedelta(seconds=1)) is not None
    assert tokens.find(secret, now=EPOCH + HOUR) is None
    assert tokens.named("jo", now=EPOCH + HOUR) is None


def test_what_another_process_does_is_seen(tokens: TokenFile, tmp_path: Path) -> None:
    other = TokenFile(str(tmp_path))
    assert tokens.all() == ()
    secret = other.add("jo", Scope.READ, now=EPOCH)
    assert tokens.find(secret, now=EPOCH) is not None
    other.remove("jo")
    assert tokens.find(secret, now=EPOCH) is None
    (tmp_path / "tokens.json").unlink()
    assert tokens.all() == ()


def test_secrets_are_not_kept_and_the_file_is_ours_alone(tokens: TokenFile, tmp_path: Path) -> None:
    secret = tokens.add("jo", Scope.READ, now=EPOCH)
    path = tmp_path / "tokens.json"
    assert secret.removeprefix("gx_") not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.json"]


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "-a", "a" * 41, "ä", "a\nb", "a;b"])
def test_names_are_plain(tokens: TokenFile, name: str) -> None:
    with pytest.raises(RefusedError, match="is no name for a token"):
        tokens.add(name, Scope.READ, now=EPOCH)


def test_names_are_given_once(tokens: TokenFile) -> None:
    tokens.add("jo", Scope.READ, now=EPOCH)
    with pytest.raises(RefusedError, match="there is a token jo already"):
        tokens.add("jo", Scope.READ, now=EPOCH)
    with pytest.raises(UnknownNameError, match="there is no token 'al'"):
        tokens.remove("al")


@pytest.mark.parametrize("content", [b"", b"{}", b"[{}]", b"\xff", b"[1]"])
def test_a_file_that_is_none_is_told_of(tokens: TokenFile, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokens.json").write_bytes(content)
    with pytest.raises(StoreError, match="this is no file of tokens"):
        tokens.all()


def test_each_scope_allows_what_those_before_it_do() -> None:
    allowed = {(one, two) for one in Scope for two in Scope if one.allows(two)}
    assert allowed == {
        (Scope.READ, Scope.READ),
        (Scope.OPERATE, Scope.READ),
        (Scope.OPERATE, Scope.OPERATE),
        *((Scope.ADMIN, scope) for scope in Scope),
    }

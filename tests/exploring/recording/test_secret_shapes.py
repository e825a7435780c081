from __future__ import annotations

import pytest

from mcp_workbench.exploring.recording.secret_shapes import SecretShapes

SHAPES = SecretShapes(lambda name: name in ("password", "X-Api-Key", "api-key"))


@pytest.mark.parametrize(
    ("written", "done"),
    [
        ("run --password abc --n 5", "run --password <3> --n 5"),
        ("run --api-key 'a b' --n 5", "run --api-key '<3>' --n 5"),
        ("run --password --n 5", "run --password --n 5"),
        ("run --name abc", "run --name abc"),
        ("[('password', 'abc'), ('user', 'bob')]", "[('password', '<3>'), ('user', 'bob')]"),
        ('[["X-Api-Key", "a\\"bc"]]', '[["X-Api-Key", "<5>"]]'),
        ("['password', 'user', 'n']", "['password', 'user', 'n']"),
        ("<c><password>abc</password><user>bob</user></c>", "<c><password><3></password><user>bob</user></c>"),
        ('<password type="x">abc</password>', '<password type="x"><3></password>'),
        ("write <password> here, then <b>more</b>", "write <password> here, then <b>more</b>"),
        ("CREATE USER x IDENTIFIED BY 'a b'; more", "CREATE USER x IDENTIFIED BY '<3>'; more"),
        ("ALTER ROLE x WITH ENCRYPTED PASSWORD 'a b'; more", "ALTER ROLE x WITH ENCRYPTED PASSWORD '<3>'; more"),
        ("set password for 'x'@'%' = password('a b')", "set password for 'x'@'%' = password('<3>')"),
        ("KeyError: 'password', a password of 'x' letters", "KeyError: 'password', a password of 'x' letters"),
        ("curl -u bob:abc https://x", "curl -u bob:<3> https://x"),
        ('["curl", "--user", "bob:abc"]', '["curl", "--user", "bob:<3>"]'),
        ("run -u pass:‹redacted:0123456789ab›;", "run -u pass:‹redacted:0123456789ab›;"),
        ("make -u https://x non-u a:b", "make -u https://x non-u a:b"),
        ("mysql -u root -pabc db", "mysql -u root -p<3> db"),
        ("/usr/bin/mysqldump --host x -p'a b' db | gzip", "/usr/bin/mysqldump --host x -p'<3>' db | gzip"),
        ("mysqldump -pone a | mysql \\\n  -ptwo3 b", "mysqldump -p<3> a | mysql \\\n  -p<4> b"),
        ("['mariadb', '-u', 'bob', '-pabc']", "['mariadb', '-u', 'bob', '-p<3>']"),
        ("docker run --name mysql -p3306:3306 x", "docker run --name mysql -p3306:3306 x"),
        ("mysql -p db\nssh -p22 host", "mysql -p db\nssh -p22 host"),
        ("ssh -p2222 mysql.internal", "ssh -p2222 mysql.internal"),
        ("mysql --protocol=tcp -P3306 -p", "mysql --protocol=tcp -P3306 -p"),
        ("passphrase: correct horse\nnext", "passphrase: <13>\nnext"),
        ('mnemonic: "a b"', 'mnemonic: "a b"'),
    ],
)
def test_secrets_beside_their_names(written: str, done: str) -> None:
    assert SHAPES.hide_in(written, lambda secret: f"<{len(secret)}>") == done

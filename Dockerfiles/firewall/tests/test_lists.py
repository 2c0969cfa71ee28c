"""How an allowlist is read: what is refused by which reason, and what is let through by it."""

from __future__ import annotations

import os

import lists
import pytest
from engine import archive, unpacked
from firewall import BASE, LISTING, generation
from world import once

BASE_GENERATION = generation(BASE)
LARGEST = 1 << 20
READ = """
cd "$(mktemp -d)" && tar -xf - && for list in *.list; do
    name=${list%.list}
    mawk -f /usr/local/lib/firewall/names.awk -f /usr/local/lib/firewall/check.awk "$list" >"$name.entries"
    echo $? >"$name.status"
    { echo generation; cat "$name.entries"; } >"$name.loaded"
    /usr/local/lib/firewall/judge "$name.loaded" 127.0.0.1 <"$name.asked" >"$name.answers"
done && tar -cf - *.entries *.status *.answers
"""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("good.test\n", "bad-line", id="no port"),
        pytest.param("good.test 443 80\n", "bad-line", id="three words"),
        pytest.param("https://good.test 443\n", "bad-host", id="a scheme"),
        pytest.param("10.0.0.1 443\n", "bad-host", id="an address"),
        pytest.param("0x7f000001 443\n", "bad-host", id="a hexadecimal address"),
        pytest.param("Good.test 443\n", "bad-host", id="upper case"),
        pytest.param("*.test 443\n", "bad-host", id="a wildcard that is too wide"),
        pytest.param("a.*.test 443\n", "bad-host", id="a wildcard inside"),
        pytest.param(".good.test 443\n", "bad-host", id="a dot before"),
        pytest.param("good.test 0\n", "bad-port", id="port 0"),
        pytest.param("good.test 65536\n", "bad-port", id="a port that is too high"),
        pytest.param("good.test https\n", "bad-port", id="a port that is no number"),
        pytest.param("good.test 443\r\n", "control-byte", id="CR"),
        pytest.param("good.test\0 443\n", "control-byte", id="NUL"),
        pytest.param("# \033[2J\n", "control-byte", id="an escape in a comment"),
    ],
)
def test_a_list_with_a_bad_line_is_refused_and_the_old_one_stays(firewall, line, reason):
    refused = firewall.put(f"other.test 443\n{line}")
    firewall.hang_up()
    firewall.wait_for_link(f"/{BASE_GENERATION}/{reason}/{refused}")
    assert firewall.is_running
    firewall.assert_serves()
    firewall.assert_refuses("https://other.test/", "unlisted-host")


def test_a_list_that_is_too_large_is_refused_and_the_old_one_stays(firewall):
    refused = firewall.put("#" * (LARGEST + 1))
    firewall.hang_up()
    firewall.wait_for_link(f"/{BASE_GENERATION}/too-large/{refused}")
    firewall.assert_serves()


@pytest.mark.parametrize(("command", "reason"), [("rm", "missing"), ("chmod 0", "unreadable")])
def test_the_old_list_stays_when_the_file_is(firewall, command, reason):
    firewall.put(BASE)
    firewall.run(*command.split(), LISTING)
    firewall.hang_up()
    firewall.wait_for_link(f"/{BASE_GENERATION}/{reason}/{generation()}")
    firewall.assert_serves()


def test_a_good_list_is_loaded_after_a_bad_one(firewall):
    refused = firewall.put("good.test\n")
    firewall.hang_up()
    firewall.wait_for_link(f"/{BASE_GENERATION}/bad-line/{refused}")
    firewall.load(BASE)
    firewall.assert_serves()


def test_an_empty_list_refuses_everything(firewall):
    firewall.load("")
    firewall.assert_refuses("https://good.test/", "unlisted-host")
    firewall.load(BASE)
    firewall.assert_serves()


def test_a_list_of_30000_hosts_is_loaded(firewall):
    firewall.load(BASE + "".join(f"host{number}.example.org 443\n" for number in range(1, 30001)))
    firewall.assert_serves()
    firewall.assert_refuses("https://host30001.example.org/", "unlisted-host")
    firewall.load(BASE)
    firewall.assert_serves()


def test_a_list_that_squid_does_not_confirm_is_taken_back(firewall):
    refused = firewall.put("other.test 443\n")
    firewall.signal("STOP", "squid")
    try:
        firewall.hang_up()
        firewall.wait_for_link(f"/{BASE_GENERATION}/probe-failed/{refused}")
    finally:
        firewall.signal("CONT", "squid")
    firewall.assert_serves()
    firewall.assert_refuses("https://other.test/", "unlisted-host")
    firewall.load(BASE)
    firewall.assert_serves()


def test_everything_is_refused_when_the_list_is_bad_at_the_start(create, world):
    begun = create("bad")
    refused = begun.put("good.test\n")
    begun.start()
    begun.wait_for_link(f"/none/bad-line/{refused}")
    answer = begun.visit("https://good.test/")
    assert (answer.text, answer.connect, answer.status) == ("", 403, 0)
    refused = begun.put("good.test x\n")
    begun.hang_up()
    begun.wait_for_link(f"/none/bad-port/{refused}")
    begun.load("good.test 443\n")
    # No private range is permitted here, and the world is private.
    begun.assert_refuses("https://good.test/", "private-address")


def test_everything_is_refused_when_there_is_no_list_at_the_start(create):
    begun = create("bad")
    begun.start()
    begun.wait_for_link(f"/none/missing/{generation()}")
    answer = begun.visit("https://good.test/")
    assert (answer.text, answer.connect, answer.status) == ("", 403, 0)


def test_random_lists_are_read_as_their_grammar_says(image, run, seed):
    """LISTS says how many, LISTS_SEED which."""
    count = int(os.environ.get("LISTS", "400"))
    files = lists.make(seed("LISTS_SEED"), count)
    tar = archive({name: text.encode() for name, text in files.items()})
    done = once(image, run.name("lists"), command=("bash", "-c", READ), data=tar)
    assert done.returncode == 0, done.stderr
    read = {name: content.decode() for name, content in unpacked(done.stdout).items()}
    print(lists.compare(files | read, count))

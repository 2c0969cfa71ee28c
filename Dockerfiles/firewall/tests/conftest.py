"""Fixtures: the images, the world, and the firewalls in it. All but the images goes at the end."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

pytest.register_assert_rewrite("firewall", "lists", "ranges")

from engine import Run, build, docker  # noqa: E402
from firewall import BASE, Firewall  # noqa: E402
from world import PINNED, WORLD, World  # noqa: E402

# The shared firewall's bounds and log are looked at when it has been through most of the rest; what ends it comes last.
ORDER = "names addresses requests relay greetings reload lists bounds log network life".split()
HERE = Path(__file__).parent
measurements = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def image():
    """The image under test: IMAGE names it, else it is built."""
    return os.environ.get("IMAGE") or build("bottle-test/firewall", HERE.parent)


@pytest.fixture(scope="session")
def world_image():
    return build("bottle-test/firewall-world", HERE / "world-image")


@pytest.fixture(scope="session")
def compiled_image():
    """The stage with a compiler and the sources of what is loaded into squid."""
    return build("bottle-test/firewall-compiled", HERE.parent, "--target", "compiled")


@pytest.fixture(scope="session")
def run():
    """The names of this run; what bears them goes at the end."""
    made = Run()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def world(run, world_image):
    return World(run, world_image)


@pytest.fixture(scope="session")
def extra_hosts(world):
    """The options for the world: its address may be reached, and that of one extra host."""
    pinned = world.at(PINNED)
    settings = (f"BOTTLE_PRIVATE={world.at(WORLD)}/32", f"BOTTLE_EXTRA_HOSTS=pinned.test={pinned}")
    return *(word for setting in settings for word in ("-e", setting)), "--add-host", f"pinned.test:{pinned}"


@pytest.fixture(scope="session")
def shared_firewall(image, world, extra_hosts):
    made = Firewall(image, world, "main", *extra_hosts)
    made.put(BASE)
    return made


@pytest.fixture
def firewall(shared_firewall):
    """The firewall that the tests share, with the first list in force whatever a test did to it before."""
    shared_firewall.restore()
    return shared_firewall


@pytest.fixture
def create(image, world):
    """Makes firewalls of one test, each with its own address."""
    made = []

    def _create(part: str, *options: str, **how) -> Firewall:
        made.append(Firewall(image, world, part, *options, **how))
        return made[-1]

    yield _create
    for firewall in made:
        firewall.remove()
        docker("volume", "rm", f"{firewall.name}-etc", f"{firewall.name}-run")


@pytest.fixture
def seed():
    """A function: the seed that an environment variable holds, or another one each time, which is shown on failure."""

    def _seed(name: str) -> int:
        value = int(os.environ.get(name) or random.randrange(2**31))
        print(f"{name}={value}")
        return value

    return _seed


@pytest.fixture
def measured(request):
    """A function that keeps a measurement for the end of the run."""
    return request.config.stash.setdefault(measurements, []).append


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.module.__name__.removeprefix("test_")))


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash.get(measurements, []):
        terminalreporter.write_line(line)

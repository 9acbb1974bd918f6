"""The front end as a kernel gets it: each toy's modules joined into one, and no name defined twice."""

import pytest

from graves_nb import toys
from graves_nb.widgets import IMPORT, STATIC, joined

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js"))}
SHARED = sorted({needed for source in SOURCES.values() for needed in IMPORT.findall(source)})
TOYS = sorted({getattr(toys, name).module for name in toys.__all__})
EACH_TOY = pytest.mark.parametrize("name", TOYS)

MOUNTABLE = """async (text) => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { default: toy } = await import(address);
  return typeof toy.render;
}"""


@pytest.fixture(scope="module")
def mountable(browser):
    """Take a text as one ES module, as anywidget does; returns the type of its `render`, or the error."""
    page = browser.new_page()
    yield lambda text: page.evaluate(MOUNTABLE, text)
    page.close()


@EACH_TOY
def test_a_toy_joined_is_one_module(mountable, name):
    """What a kernel's front end runs from a Blob parses, runs, imports nothing and offers `render`."""
    text = joined(name)
    assert "\nimport " not in text and mountable(text) == "function"


@EACH_TOY
def test_no_name_is_defined_twice(mountable, name):
    """A toy and all shared modules, even those that it does not import, fit into one scope."""
    others = [IMPORT.sub("", SOURCES[shared]).replace("\nexport ", "\n") for shared in SHARED]
    text = "\n".join([*others, IMPORT.sub("", SOURCES[name])])
    assert mountable(text) == "function"


def test_a_double_name_would_be_found(mountable):
    """The check can fail."""
    from playwright.sync_api import Error

    with pytest.raises(Error, match="announcer.*already been declared"):
        mountable("\n".join([SOURCES["toolkit.js"], "const announcer = 1;"]))


def test_toys_import_shared_modules_alone():
    """A toy does not import another toy, and each shared module is there."""
    assert not set(SHARED) & set(TOYS) and set(SHARED) <= set(SOURCES)

"""How the documentation is built: Sphinx reads the pages of docs/ as they stand in the repository.

``python -m sphinx -W -c docs . site`` from the root of the repository builds it; `docs/adding.md` says more.
"""

from __future__ import annotations

import typing
from pathlib import Path

import pydantic
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle

import corridor_sim
from corridor_sim.model.field_texts import field_texts

project = "corridor_sim"
author = "The corridor_sim developers"
copyright = "the corridor_sim developers, MIT licence"
version = release = corridor_sim.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinxcontrib.bibtex",
]
# The source is the whole repository, so that a link between a page and the README or a scenario file is the same
# here and on the page of the repository.
include_patterns = [
    "docs/**",
    "notebooks/**",
    "README.md",
    "CHANGELOG.md",
    "findings/README.md",
    "corridor_sim/data/**/README.md",
]
exclude_patterns = ["site", "docs/_templates", "**/.ipynb_checkpoints"]
root_doc = "docs/index"
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
templates_path = [str(Path(__file__).parent / "_templates")]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # as the page of the repository makes them
myst_links_external_new_tab = False

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
add_module_names = False
numpydoc_show_class_members = False

nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True
nb_merge_streams = True
suppress_warnings = ["myst-nb.lexer"]  # asked only where cells are not run

bibtex_bibfiles = ["references.bib"]
html_theme = "furo"
html_title = f"corridor_sim {version}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}


class LabelIsKey(BaseLabelStyle):
    """A source is found by the key that pages and docstrings cite."""

    def format_labels(self, sorted_entries: typing.Any) -> typing.Any:
        """Key of each entry."""
        for entry in sorted_entries:
            yield entry.key


class ByKey(Style):
    """Sources in the order of their keys."""

    default_label_style = LabelIsKey
    default_sorting_style = "author_year_title"


register_plugin("pybtex.style.formatting", "by_key", ByKey)


def is_table(obj: typing.Any) -> bool:
    """Whether `obj` is a class whose objects stand in scenario files."""
    return isinstance(obj, type) and issubclass(obj, pydantic.BaseModel)


def fields_told(app: typing.Any, what: str, name: str, obj: typing.Any, options: typing.Any, lines: list[str]) -> None:
    """Add to the docstring of a table what can be written in it."""
    if what != "class" or not is_table(obj):
        return
    texts = field_texts(obj)
    told = [".. rubric:: Fields", ""]
    for key, field in obj.model_fields.items():
        default = "required"
        if not field.is_required():
            value = "its own default" if field.default_factory else f"``{field.default!r}``"
            default = f"default {value}"
        told += [
            f"``{field.serialization_alias or key}`` ({default})",
            f"    {texts.get(key) or field.description or kind_of(field)}",
            "",
        ]
    lines += ["", *told]


def kind_of(field: typing.Any) -> str:
    """What a field takes, where its name says the rest."""
    text = getattr(field.annotation, "__name__", None) or str(field.annotation)
    return f"``{text}``"


def short_signature(
    app: typing.Any, what: str, name: str, obj: typing.Any, options: typing.Any, signature: str, back: str
) -> tuple[str, str] | None:
    """Fields of a table are listed; its signature would say them again."""
    return ("(**fields)", back) if what == "class" and is_table(obj) else None


PUBLIC = [getattr(corridor_sim, name) for name in corridor_sim.__all__]
OF_TABLES = {"kind", "to_data", *(name for made in PUBLIC if is_table(made) for name in made.model_fields)}


def is_left_out(app: typing.Any, what: str, name: str, obj: typing.Any, skip: bool, options: typing.Any) -> bool | None:
    """Leave out what pydantic gives every table, and fields, which are listed."""
    return True if name.startswith("model_") or name in OF_TABLES else None


def setup(app: typing.Any) -> None:
    """Register what the reference says of tables."""
    app.connect("autodoc-process-docstring", fields_told, priority=900)  # after numpydoc
    app.connect("autodoc-process-signature", short_signature)
    app.connect("autodoc-skip-member", is_left_out)

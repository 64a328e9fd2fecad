"""What a shell may complete: names of packaged scenarios and designs, kinds of pictures and indicators."""

from __future__ import annotations

from typing import Any

from click.shell_completion import CompletionItem


def _beginning(names: Any, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def _or_file(names: Any, incomplete: str) -> list[CompletionItem]:
    """Files first: a shell that mixes them clears its list there."""
    return [CompletionItem(incomplete, type="file"), *_beginning(names, incomplete)]


def scenarios(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """Packaged scenarios, or a file."""
    from corridor_sim.files.packaged import packaged_files

    return _or_file(packaged_files(), incomplete)


def designs(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """Packaged designs, or a file."""
    from corridor_sim.files.packaged import design_files

    return _or_file(design_files(), incomplete)


def pictures(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """Kinds of pictures."""
    from corridor_sim.plots import PLOTS

    return _beginning(PLOTS, incomplete)


def indicators(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """Indicators."""
    from corridor_sim.indicators import INDICATORS

    return _beginning(INDICATORS, incomplete)


def kinds(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    """What `kinds` can list."""
    from corridor_sim.cli.kinds import all_kinds

    return _beginning(all_kinds(), incomplete)

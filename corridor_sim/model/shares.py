"""Which part of a cargo class needs a stage at one time: its own share times that of its risk channels.

The plan holds the same shares as step functions (`plan/posts.py`); a route is
read at one instant and needs only the value there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corridor_sim.model.changes import DatedChange, value_at
from corridor_sim.model.channels import Channels
from corridor_sim.model.stages import Stage


def share_at(
    changes: Mapping[str, Sequence[DatedChange]],
    table: str,
    name: str,
    stage: Stage,
    channels: Channels | None,
    cargo_class: str,
    time_h: float,
) -> float:
    """Share of `cargo_class` that needs stage `name` at `time_h`, from 0 to 1.

    Parameters
    ----------
    changes : mapping of path to dated changes
    table : str
        Path of the stages, such as ``checkpoints.samur_az.exit``.
    channels : Channels or None
        Risk channels of this direction of the post.

    Notes
    -----
    The share of the stage (of the class if it has one) times the sum of the shares of
    the channels that need it (of the class if it has its own), each with the changes
    in force: half of 10 % is 5 %.

    Examples
    --------
    >>> from corridor_sim.model.service_times import Deterministic
    >>> stage = Stage(lanes=1, service=Deterministic(value_h=4.0), channels=["red"], share=0.5)
    >>> channels = Channels(green=0.9, red=0.1)
    >>> share_at({}, "checkpoints.near.exit", "inspection", stage, channels, "loaded", 0.0)
    0.05
    """
    share = _of_class(
        changes, f"{table}.{name}.share", f"{table}.{name}.share_by_class.{cargo_class}",
        stage.share, stage.share_by_class.get(cargo_class), time_h,
    )  # fmt: skip
    if stage.channels and channels is not None and set(stage.channels) != set(channels.shares):
        post, _, direction = table.rpartition(".")
        at = f"{post}.channels.{direction}"
        base = channels.by_class.get(cargo_class, channels.shares)
        # What is set for all holds for a class with shares of its own too (rule S20).
        share *= sum(
            _of_class(
                changes, f"{at}.shares.{channel}", f"{at}.by_class.{cargo_class}.{channel}",
                base[channel], None, time_h,
            )
            for channel in dict.fromkeys(stage.channels)
        )  # fmt: skip
    return min(max(share, 0.0), 1.0)


def is_share(path: str) -> bool:
    """Whether a change of this path changes who needs a stage of a post.

    >>> is_share("checkpoints.near.channels.exit.shares.red"), is_share("checkpoints.near.exit.lanes.lanes")
    (True, False)
    """
    parts = path.split(".")
    if parts[0] != "checkpoints" or len(parts) < 5:
        return False
    return parts[2] == "channels" or parts[4] in ("share", "share_by_class")


def _of_class(
    changes: Mapping[str, Sequence[DatedChange]],
    general_path: str,
    own_path: str,
    general: float,
    own: float | None,
    time_h: float,
) -> float:
    """The value of a class: its own, else the general one of that time, with the changes of its own path."""
    base = own if own is not None else value_at(general, changes.get(general_path, ()), time_h)
    return float(value_at(base, changes.get(own_path, ()), time_h))

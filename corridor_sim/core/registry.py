"""Named kinds: the one place where a law, leg, improvement, indicator or plot is added.

``@REGISTRY.register("gamma", mean_h=0.5, cv=0.8)`` makes a class or function
known under its kind; the keyword arguments are an example that the contract
tests, ``corridor-sim kinds`` and the schema use. A class carries its kind as
its attribute ``kind``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

from corridor_sim.core.errors import Problem, ScenarioError, nearest

T = TypeVar("T")
U = TypeVar("U")


class Registry(Generic[T]):
    """Kinds of one thing, by name, each with an example; `refused` has kinds that there are not, and why.

    Those of `modules` are registered when a kind is first asked for: what a file does not use is not imported.
    """

    _every: ClassVar[list[Registry[Any]]] = []

    def __init__(self, what: str, refused: Mapping[str, str] | None = None, modules: Sequence[str] = ()) -> None:
        self._every.append(self)
        self.what = what
        self.refused = dict(refused or {})
        self._modules = tuple(modules)
        self._kinds: dict[str, T] = {}
        self._examples: dict[str, dict[str, Any]] = {}

    def _known(self) -> dict[str, T]:
        """All kinds, those of modules that were not imported until now among them."""
        for module in self._modules:
            importlib.import_module(module)
        self._modules = ()
        return self._kinds

    def register(self, kind: str, **example: Any) -> Callable[[U], U]:
        """Decorator that makes a class or function known as `kind`.

        Raises
        ------
        ValueError
            If the kind is taken.
        """

        def decorate(thing: U) -> U:
            known = self._kinds if thing.__module__ in self._modules else self._known()
            if kind in known:
                raise ValueError(f"{self.what} {kind!r} is registered twice")
            known[kind] = thing  # type: ignore[assignment]
            self._examples[kind] = example
            if isinstance(thing, type):
                thing.kind = kind  # type: ignore[attr-defined]
            return thing

        return decorate

    def unregister(self, kind: str) -> None:
        """Forget a kind."""
        del self._known()[kind], self._examples[kind]

    def __getitem__(self, kind: str) -> T:
        try:
            return self._known()[kind]
        except (KeyError, TypeError):
            raise ScenarioError([self.problem(kind)]) from None

    def problem(self, kind: Any) -> Problem:
        """What to say of a kind that is not known, or refused."""
        if isinstance(kind, str) and kind in self.refused:
            return Problem(self.refused[kind], value=kind)
        return Problem(
            f"is not a known {self.what}",
            value=kind,
            allowed=", ".join(sorted(self._known())),
            hint=nearest(str(kind), self._known()),
        )

    def __contains__(self, kind: object) -> bool:
        return isinstance(kind, str) and kind in self._known()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._known()))

    def __len__(self) -> int:
        return len(self._known())

    def example(self, kind: str) -> dict[str, Any]:
        """Values from which an object of this kind can be made."""
        self._known()
        return dict(self._examples[kind])

    def items(self) -> Iterator[tuple[str, T]]:
        """Kinds with their class or function, in alphabetical order."""
        return iter(sorted(self._known().items()))


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Kinds of other packages that were registered within are forgotten if it ends with an error, whatever it is.

    Those of this package stay: its modules may be imported within, and are not imported again.
    """
    before = {id(one): set(one._kinds) for one in Registry._every}
    try:
        yield
    except BaseException:
        for one in Registry._every:
            for kind in set(one._kinds) - before.get(id(one), set()):
                if not str(getattr(one._kinds[kind], "__module__", "")).startswith("corridor_sim."):
                    one.unregister(kind)
        raise

"""What code a result depends on, read from the source without running it.

Starting from the imports of a notebook, every module of the package that can be reached gets a
digest of its syntax tree without docstrings, so that comments and documentation do not count. Three
exceptions keep unrelated work from counting as a change:

* what the functions of a package's `__init__` import, where only modules of the package are taken:
  importing `fkp.measure.errors` runs `fkp/__init__.py`, but calls nothing in it;
* modules that the caller skips, such as those that draw and record results but do not make them;
* registries: dicts whose values name modules to import later, such as `fkp.models.MODELS`. Only the
  entries whose keys occur among the run's parameter values count, with the modules they name; if
  there is no such entry, all of them count.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_DOTTED = re.compile(r"^\w+(\.\w+)+(:\w+)?$")


def digests_of(
    cells: Sequence[str], package: Path, words: Iterable[str] = (), skip: Iterable[str] = ()
) -> dict[str, str]:
    """Digests of code and of the package modules that it can reach, by name.

    Args:
        cells: sources, such as a notebook's code cells; together they are called "notebook".
        package: folder of the package, such as `<root>/fkp`.
        words: parameter values that may select registry entries ("resnet18", "kaggle", ...).
        skip: dotted names of modules and packages that do not count, nor what only they import.

    Returns:
        name -> hex digest; a module's holds the registry entries that the words select.
    """
    package = Path(package)
    dumps = (_read(without_magics(cell), package).dump for cell in cells)
    found = {"notebook": _digest(*dumps)}
    for name in reachable_modules(cells, package, words, skip):
        module = _module(name, package)
        found[name] = _digest(module.dump, *(entry.dump for entry in module.chosen(set(words))))
    return found


def package_digests(package: Path) -> dict[str, str]:
    """Digest of every file of a package, by the module's dotted name."""
    files = sorted(Path(package).rglob("*.py"))
    names = (".".join(f.relative_to(package.parent).with_suffix("").parts) for f in files)
    return {name: _digest(f.read_text("utf-8")) for name, f in zip(names, files, strict=True)}


def _digest(*texts):
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()


def reachable_modules(cells, package, words=(), skip=()):
    """Sorted names of the package modules that `digests_of` names."""
    package, words, found = Path(package), set(words), {}
    waiting = [named for cell in cells for named in _read(without_magics(cell), package).imports]
    while waiting:
        name, called = waiting.pop()
        known = name in found and found[name] >= called
        if known or any(f"{name}.".startswith(f"{other}.") for other in skip):
            continue
        found[name] = called
        module = _module(name, package)
        waiting += [(name.rpartition(".")[0] or name, False)]
        waiting += module.imports if called else module.at_once
        if called:
            waiting += [(n, True) for entry in module.chosen(words) for n in entry.modules]
    return sorted(found)


@dataclass(frozen=True)
class _Entry:
    """One entry of a registry: its key, the modules its value names, its text."""

    key: object
    modules: tuple[str, ...]
    dump: str


@dataclass(frozen=True)
class _Source:
    """A piece of source: what it imports, its text without registries, registries.

    Imports are of the package's modules, each with whether something in it may be called: at any
    depth, and those alone that run when the source does.
    """

    imports: tuple[tuple[str, bool], ...]
    at_once: tuple[tuple[str, bool], ...]
    dump: str
    registries: tuple[tuple[_Entry, ...], ...]

    def chosen(self, words):
        """Entries that the words select; of a registry without such an entry, all."""
        for registry in self.registries:
            yield from [entry for entry in registry if entry.key in words] or registry


class _TakeRegistries(ast.NodeTransformer):
    """Empties the registries of a tree and keeps their entries."""

    def __init__(self, package):
        self.package, self.registries = package, []

    def visit_Dict(self, node):
        self.generic_visit(node)
        named = [_named_modules(value, self.package) for value in node.values]
        if not named or not all(named):
            return node
        keys = [getattr(key, "value", None) for key in node.keys]
        texts = [ast.dump(value) for value in node.values]
        self.registries.append(tuple(map(_Entry, keys, named, texts)))
        return ast.Dict([], [])


def _module(name, package):
    path = _module_path(name, package)
    return _read(path.read_text(encoding="utf-8"), package)


@lru_cache(maxsize=512)
def _read(source, package):
    tree = ast.parse(source)
    take = _TakeRegistries(package)
    take.visit(tree)
    _drop_docstrings(tree)
    imports = (tuple(_imports(nodes, package)) for nodes in (ast.walk(tree), _at_once(tree)))
    return _Source(*imports, ast.dump(tree), tuple(take.registries))


def without_magics(cell: str) -> str:
    """Code of a notebook cell without the lines that only IPython understands."""
    return re.sub(r"^\s*(\w+\s*=\s*)?[%!].*$", "", cell, flags=re.MULTILINE)


def _drop_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            texts = (n for n in node.body if isinstance(n, ast.Expr))
            texts = {n for n in texts if isinstance(n.value, ast.Constant)}
            node.body = [n for n in node.body if n not in texts]


def _named_modules(node, package):
    """Modules of the package that string constants inside an expression name."""
    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
    dotted = [t.split(":")[0] for t in texts if isinstance(t, str) and _DOTTED.match(t)]
    return tuple(name for name in dotted if _module_path(name, package))


def _at_once(node):
    """The nodes of a tree but those inside functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _at_once(child)


def _imports(nodes, package):
    """(module of the package, whether something in it may be called) of the imports among nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [(alias.name, True) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            taken = [f"{node.module}.{alias.name}" for alias in node.names]
            other = not all(_module_path(name, package) for name in taken)
            found = [(node.module, other), *((name, True) for name in taken)]
        else:
            continue
        yield from ((name, called) for name, called in found if _module_path(name, package))


def _module_path(name, package):
    """Path of a module of the package, None for anything else."""
    first, *rest = name.split(".")
    if first != package.name:
        return None
    base = package.joinpath(*rest)
    paths = (base / "__init__.py", base.parent / f"{base.name}.py")
    return next((path for path in paths if path.is_file()), None)

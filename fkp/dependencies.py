"""What code a notebook's result depends on, read from the source without running it.

Starting from the imports of a notebook, all modules of the package that can be reached are hashed
as syntax trees without docstrings, so that comments and documentation do not count. Two exceptions
keep unrelated work from counting as a change:

* modules that the caller skips, such as those that draw and record results but do not make them;
* registries are dicts whose values name a module to import later, such as `fkp.models.MODELS`. Only
  the entries whose keys occur among the run's parameter values count, with the modules they name.
"""

import ast
import hashlib
import re
from pathlib import Path

_DOTTED = re.compile(r"^\w+(\.\w+)+(:\w+)?$")


def code_fingerprint(cells, package, words=(), skip=()):
    """Hex digest of notebook code and of the package code it can reach.

    Args:
        cells: sources of the notebook's code cells.
        package: folder of the package, such as `<root>/fkp`.
        words: parameter values that may select registry entries ("resnet18", "kaggle", ...).
        skip: dotted names of modules that do not count, nor what only they import.
    """
    state = hashlib.blake2b(digest_size=8)
    trees = [_parse(cell) for cell in cells]
    for tree in trees:
        state.update(_dump(tree))
    for name, tree in sorted(_reachable(trees, Path(package), words, skip).items()):
        state.update(name.encode() + _dump(tree))
    return state.hexdigest()


def reachable_modules(cells, package, words=(), skip=()):
    """Names of the package modules that `code_fingerprint` hashes."""
    return sorted(_reachable([_parse(cell) for cell in cells], Path(package), words, skip))


def _reachable(trees, package, words, skip):
    words, found = set(words), {}
    waiting = [name for tree in trees for name in _imports(tree, package)]
    while waiting:
        name = waiting.pop()
        if name in found or name in skip:
            continue
        registries = _Registries(package, words)
        source = _module_path(name, package).read_text(encoding="utf-8")
        tree = found[name] = registries.visit(_parse(source))
        waiting += [name.rpartition(".")[0] or name, *_imports(tree, package), *registries.modules]
    return found


class _Registries(ast.NodeTransformer):
    """Drops the registry entries that no word selects; lists the modules of the others."""

    def __init__(self, package, words):
        self.package, self.words, self.modules = package, words, []

    def visit_Dict(self, node):
        self.generic_visit(node)
        named = [_named_modules(value, self.package) for value in node.values]
        if not node.keys or not all(named):
            return node
        chosen = [isinstance(k, ast.Constant) and k.value in self.words for k in node.keys]
        keep = [i for i, is_chosen in enumerate(chosen) if is_chosen or not any(chosen)]
        self.modules += [name for i in keep for name in named[i]]
        return ast.Dict([node.keys[i] for i in keep], [node.values[i] for i in keep])


def _named_modules(node, package):
    """Modules of the package that string constants inside an expression name."""
    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
    dotted = [t.split(":")[0] for t in texts if isinstance(t, str) and _DOTTED.match(t)]
    return [name for name in dotted if _module_path(name, package)]


def _imports(tree, package):
    """Names of package modules that a tree imports at any depth, parents included."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if _module_path(name, package)]


def _module_path(name, package):
    first, *rest = name.split(".")
    if first != package.name:
        return None
    base = package.joinpath(*rest)
    for path in (base / "__init__.py", base.parent / f"{base.name}.py"):
        if path.is_file():
            return path
    return None


def _parse(source):
    lines = ("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
    return ast.parse("\n".join(lines))


def _dump(tree):
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [n for n in body if not _is_docstring(n)]
    return ast.dump(tree).encode()


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

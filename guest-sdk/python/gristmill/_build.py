"""Imports a handler's module while its component is built. The component begins as this leaves the interpreter.

So everything that a handler may import has to be imported now: a component has no files. Runs in the component's own
Python, never in the one that builds.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import linecache
import os
import sys
import traceback
from typing import Any, Iterator

# What handlers import within functions, or what Python itself imports only when it is used.
STANDARD = """
_strptime abc array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys contextlib
contextvars copy copyreg csv dataclasses datetime decimal difflib encodings.ascii encodings.cp1252 encodings.hex_codec
encodings.idna encodings.latin_1 encodings.punycode encodings.raw_unicode_escape encodings.unicode_escape
encodings.utf_16 encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_8_sig enum errno fractions functools
gc graphlib gzip hashlib heapq hmac html html.entities html.parser importlib inspect io ipaddress itertools json keyword
linecache locale logging math numbers operator os os.path pathlib pickle posixpath pprint queue random re reprlib secrets
shlex statistics string string.templatelib struct sys tempfile textwrap threading time timeit token tokenize tomllib
traceback types typing unicodedata urllib.parse uuid warnings weakref zlib
""".split()


class BuildFailed(Exception):
    """What is wrong with the handler's module, in words for its author."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles with the path that the author knows the file by, and keeps the lines for tracebacks."""

    shown_paths: dict[str, str] = {}

    def source_to_code(self, data: Any, path: Any, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        shown = show(str(path))
        code = compile(data, shown, "exec", dont_inherit=True)
        lines = importlib.util.decode_source(bytes(data)).splitlines(keepends=True)
        # A modification time of None is one that is never looked at again.
        linecache.cache[shown] = (len(data), None, lines, shown)
        return code


def show(path: str) -> str:
    for prefix, shown in _Loader.shown_paths.items():
        if path.startswith(prefix + "/"):
            return f"{shown}/{path[len(prefix) + 1 :]}" if shown else path[len(prefix) + 1 :]
    return path


def load(roots: dict[str, str], module: str, printed: str) -> type:
    """Imports the module and gives the class of its handler.

    `roots` are the folders to import from, the handler's own first, with what its author knows each by. What is printed
    meanwhile goes to the file `printed`.
    """
    from . import _entry, _host, _logging, _register

    _Loader.shown_paths = roots
    hook = importlib.machinery.FileFinder.path_hook(
        (_Loader, importlib.machinery.SOURCE_SUFFIXES),
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
    )

    def finder(path: str) -> Any:
        if not any(path == root or path.startswith(root + "/") for root in roots):
            raise ImportError("not the handler's", path=path)
        return hook(path)

    _import_all(STANDARD)
    _refuse_doubles(next(iter(roots)))
    sys.path_hooks.insert(0, finder)
    sys.path[:0] = list(roots)
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    streams = _entry.open_output(printed)
    _logging.before_import()
    importlib.import_module(module)
    function = _the_one(_register.registered, module)
    _import_late(roots)
    _logging.after_import()
    _warm(list(roots))
    handler = _entry.bind(function)
    _host.hold_records()
    streams.begin()
    _forget_the_build()
    return handler


def report(error: BaseException) -> str:
    """What is wrong, for the author: Python's own traceback, from the first line of the author's on."""
    if isinstance(error, BuildFailed):
        return f"{error}\n"
    kept = traceback.TracebackException.from_exception(error)
    _keep_the_authors(kept)
    text = "".join(kept.format())
    if isinstance(error, ModuleNotFoundError):
        text += "A package is named in `requirements.txt` beside handler.py; a module of your own lies beside handler.py.\n"
    return text


def _keep_the_authors(kept: traceback.TracebackException) -> None:
    """Leaves out the steps of this package and of Python's imports."""
    ours = os.path.dirname(__file__)
    kept.stack[:] = [
        frame
        for frame in kept.stack
        if not frame.filename.startswith((ours, "<frozen importlib"))
        and not frame.filename.endswith(("/gristmill_entry.py", "/importlib/__init__.py"))
    ]
    for other in (kept.__cause__, kept.__context__):
        if other is not None:
            _keep_the_authors(other)


def _the_one(registered: list[Any], module: str) -> Any:
    functions = list({id(function): function for function in registered}.values())
    if not functions:
        raise BuildFailed(
            f"{module}.py has no handler. Mark the function that is called for each record:\n"
            "\n"
            "    from gristmill import StreamRecord, handler\n"
            "\n"
            "    @handler\n"
            "    def file(record: StreamRecord) -> None:\n"
            "        ...\n"
        )
    if len(functions) > 1:
        places = []
        for function in functions:
            code = getattr(function, "__code__", None)
            place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
            places.append(f"  {getattr(function, '__qualname__', function)}{place}")
        lines = "\n".join(places)
        raise BuildFailed(f"{module}.py has {len(functions)} handlers, and a component has one:\n{lines}")
    return functions[0]


def _import_all(names: list[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            # Not in this Python. A handler that asks for it is told so.
            pass


def _import_late(roots: dict[str, str]) -> None:
    """Imports what the handler's modules, and those of its packages, import within their functions."""
    looked_at: set[str] = set()
    while True:
        modules = [
            (name, found) for name, found in list(sys.modules.items()) if name not in looked_at and _is_in(found, roots)
        ]
        if not modules:
            return
        for name, found in modules:
            looked_at.add(name)
            for wanted in _late_imports(found):
                try:
                    importlib.import_module(wanted)
                # It was to be imported when it is needed. Whether it can be is not the build's to say.
                except BaseException:
                    pass


def _is_in(module: Any, roots: dict[str, str]) -> bool:
    path = getattr(module, "__file__", None) or ""
    return any(path.startswith(root + "/") for root in roots)


def _late_imports(module: Any) -> Iterator[str]:
    try:
        with open(module.__file__, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return
    package = getattr(module, "__package__", "") or ""
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name
            elif isinstance(node, ast.ImportFrom):
                try:
                    base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                except ImportError:
                    continue
                yield base
                # A name of a package may be a module of it.
                for alias in node.names:
                    if alias.name != "*" and f"{base}.{alias.name}" not in sys.modules:
                        yield f"{base}.{alias.name}"


def _warm(roots: list[str]) -> None:
    """Finds out now how the module's dataclasses are read, and not at the first record."""
    import dataclasses

    from . import _convert

    for module in list(sys.modules.values()):
        if not any((getattr(module, "__file__", None) or "").startswith(root + "/") for root in roots):
            continue
        for value in list(vars(module).values()):
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                try:
                    _convert.reader(value)
                # It may be no item's.
                except Exception:
                    pass


def _refuse_doubles(folder: str) -> None:
    """A module of the author's that has the name of one of Python's would be found in a test, and not in a component."""
    for entry in sorted(os.listdir(folder)):
        name, extension = os.path.splitext(entry)
        is_module = extension == ".py" or os.path.exists(os.path.join(folder, entry, "__init__.py"))
        if is_module and name in sys.modules and name in sys.stdlib_module_names:
            raise BuildFailed(
                f"{show(os.path.join(folder, entry))} has the name of a module of Python's own: rename it."
            )


def _forget_the_build() -> None:
    """Leaves nothing that looks for files, and nothing that the garbage collector would look at again."""
    import gc

    sys.path_importer_cache.clear()
    gc.collect()
    gc.freeze()

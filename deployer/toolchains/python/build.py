"""Makes a component of a handler's folder.

    python3 build.py --source handlers/clerk-file --sdk vendor/gristmill-python --wit vendor/wit --out clerk.wasm

Needs Python 3.9 or newer and the package `componentize-py` of requirements.txt, which brings the Python that the
component holds. Prints what is wrong with the handler as Python says it, then one line; exits with 1.

Nothing is written but the component: all work is done on copies in a temporary folder of this build's own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

VERSION = "0.25.1"

# What componentize-py imports. Its class is what the generated code calls.
ENTRY = """\
import sys

sys.dont_write_bytecode = True

from gristmill import _build

try:
    Handler = _build.load({roots!r}, {module!r}, "/0/printed")
except BaseException as error:
    with open("/0/failure", "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_build.report(error))
    sys.stderr = None  # What is raised now is for componentize-py alone.
    raise RuntimeError("the handler cannot be built") from None
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes a component of a handler's folder.")
    parser.add_argument("--source", type=Path, required=True, help="the handler's folder")
    parser.add_argument("--sdk", type=Path, required=True, help="the folder that has the package `gristmill`")
    parser.add_argument("--wit", type=Path, required=True, help="the contract")
    parser.add_argument("--out", type=Path, required=True, help="the component to write")
    parser.add_argument("--site", type=Path, help="a folder of packages that the handler may import")
    parser.add_argument(
        "--shown", help="the handler's folder in messages and tracebacks; otherwise from the current one"
    )
    parser.add_argument("--module", default="handler", help="the module of the handler's function")
    arguments = parser.parse_args()

    try:
        import componentize_py
    except ImportError as error:
        return fail(f"componentize-py {VERSION} is not installed: {error}")
    for folder, wanted in (
        (arguments.source, f"{arguments.module}.py"),
        (arguments.sdk, "gristmill/__init__.py"),
        (arguments.wit, "events.wit"),
    ):
        if not (folder / wanted).is_file():
            return fail(f"{folder} has no {wanted}")

    with tempfile.TemporaryDirectory(prefix="gristmill-build-") as folder:
        work = Path(folder)
        shutil.copytree(arguments.source, work / "app", ignore=ignored)
        shutil.copytree(arguments.sdk / "gristmill", work / "gristmill", ignore=ignored)
        name = shown(arguments.source) if arguments.shown is None else arguments.shown.rstrip("/")
        roots = {"/0/app": name}
        python_path = [str(work)]
        if arguments.site is not None:
            roots["/1"] = "site-packages"
            python_path.append(str(arguments.site.resolve()))
        entry = ENTRY.format(roots=roots, module=arguments.module)
        (work / "gristmill_entry.py").write_text(entry, encoding="utf-8")
        component = work / "component.wasm"
        error = componentize(componentize_py, arguments.wit, python_path, component)
        printed = work / "printed"
        if printed.exists():
            show_text(printed.read_text(encoding="utf-8", errors="replace"))
        failure = work / "failure"
        if failure.exists():
            show_text(failure.read_text(encoding="utf-8", errors="replace"))
            return fail(f"{arguments.source}: the handler cannot be built")
        if error is not None:
            # Then comes where in its own code.
            show_text(error.partition("\n\nStack backtrace:")[0])
            return fail(f"{arguments.source}: componentize-py failed")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        # Whoever reads the component meanwhile has the old one or the new one.
        unfinished = arguments.out.with_name(f".{arguments.out.name}.{os.getpid()}")
        try:
            shutil.copyfile(component, unfinished)
            os.replace(unfinished, arguments.out)
        finally:
            unfinished.unlink(missing_ok=True)
    return 0


def componentize(componentize_py, wit: Path, python_path: list[str], out: Path) -> str | None:
    """None, or what went wrong.

    By the package's function and not by its command, which would also import from the packages that happen to be
    installed on this machine.
    """
    try:
        componentize_py.componentize(
            wit_path=[str(wit)],
            worlds=["stream-handler"],
            features=[],
            all_features=False,
            world_module=None,
            python_path=python_path,
            module_worlds=[],
            app_name="gristmill_entry",
            output_path=str(out),
            stub_wasi=False,
            import_interface_names=[],
            export_interface_names=[],
            full_names=False,
            intersect_world=None,
        )
    except Exception as error:
        return str(error)
    return None


def ignored(folder: str, names: list[str]) -> list[str]:
    """What no handler imports: hidden files, caches, virtual environments, components."""
    return [
        name
        for name in names
        if name.startswith(".")
        or name == "__pycache__"
        or name.endswith((".pyc", ".wasm"))
        or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    ]


def shown(folder: Path) -> str:
    """The folder as its author knows it: from the current one, if it is in there."""
    try:
        path = folder.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        path = folder.resolve().as_posix()
    return "" if path == "." else path


def show_text(text: str) -> None:
    if text:
        print(text, end="" if text.endswith("\n") else "\n", file=sys.stderr)


def fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # A terminal of another encoding is no reason to fail.
    sys.exit(main())

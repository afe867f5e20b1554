"""`dev.py installer`: what a person downloads and installs, of the kind that this system uses.

Debian's package is made and tried here. Windows and macOS are recipes for the release workflow; docs/release.md says
what was run and what was not.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

import debian
import freeze
from console import ROOT, Stop, quiet, say, step

WINDOWS = ROOT / "packaging" / "windows"


def version() -> str:
    """The program's version, from app/__init__.py."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "app" / "__init__.py").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def run(arguments: list[str]) -> int:
    """Makes the installer from a freshly frozen program, or from the one in dist/ with --frozen."""
    parser = argparse.ArgumentParser(prog="dev.py installer")
    parser.add_argument("--with-starter", action="store_true", help="with the starter models inside (144 MB more)")
    parser.add_argument("--frozen", action="store_true", help="take the program that lies in dist/ as it is")
    parser.add_argument(
        "--try", dest="trial", action="store_true", help="install, use and remove it in a bare Debian 12"
    )
    options = parser.parse_args(arguments)
    if not options.frozen:
        status = freeze.run(["--with-starter"] if options.with_starter else [])
        if status != 0:
            return status
    if not freeze.executable().exists():
        raise Stop("There is no frozen program in dist/. Run `dev.py freeze` first, or leave out --frozen.")
    make = {"linux": debian.make, "darwin": disk_image, "win32": setup_program}.get(sys.platform)
    if make is None:
        raise Stop(f"There is no installer for {sys.platform}.")
    made = make(version())
    say(f"   {made.relative_to(ROOT)}: {made.stat().st_size / 1e6:.1f} MB")
    if options.trial:
        import trial

        return trial.run(made)
    return 0


def setup_program(number: str) -> Path:
    """Windows: one setup.exe, for one person without administrator's rights. Needs Inno Setup 6 in PATH."""
    compiler = shutil.which("iscc")
    if compiler is None:
        raise Stop("Inno Setup's compiler, iscc, is not in PATH. Install Inno Setup 6 and add its folder to PATH.")
    script = WINDOWS / "alcove.iss"
    defines = [f"/DVersion={number}", f"/DFrozen={freeze.folder()}", f"/DIcon={freeze.WORK / 'alcove.ico'}"]
    with step("Making the setup program"):
        quiet([compiler, "/Qp", *defines, f"/O{freeze.DIST}", script], "Inno Setup failed: see its words above.")
    return freeze.DIST / f"alcove-{number}-setup.exe"


def disk_image(number: str) -> Path:
    """macOS: a disk image with Alcove.app and a link to Applications.

    `ALCOVE_CODESIGN_IDENTITY` signs it; `ALCOVE_NOTARY_PROFILE`, a profile of notarytool's, has Apple check it. Without
    them it starts only after the person allowed it in the system's settings.
    """
    app = freeze.folder()
    identity, profile = os.environ.get("ALCOVE_CODESIGN_IDENTITY"), os.environ.get("ALCOVE_NOTARY_PROFILE")
    image = freeze.DIST / f"Alcove-{number}.dmg"
    stage = freeze.WORK / "image"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    with step("Making the disk image"):
        if identity:  # PyInstaller has signed the program and all that is in it
            quiet(["codesign", "--verify", "--deep", "--strict", app], "The signature of Alcove.app is not right.")
        quiet(["ditto", app, stage / app.name], "Alcove.app could not be copied.")
        (stage / "Applications").symlink_to("/Applications")
        create: list[str | Path] = ["hdiutil", "create", "-volname", "Alcove", "-srcfolder", stage, "-format", "ULFO"]
        quiet([*create, "-ov", image], "The disk image could not be made.")
        if identity:
            quiet(["codesign", "--sign", identity, "--timestamp", image], "The disk image could not be signed.")
        if identity and profile:
            submit: list[str | Path] = ["xcrun", "notarytool", "submit", image, "--keychain-profile", profile, "--wait"]
            quiet(submit, "Apple did not notarize the disk image.")
            quiet(["xcrun", "stapler", "staple", image], "The notarization could not be attached.")
    return image

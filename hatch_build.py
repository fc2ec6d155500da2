"""Build hook: the sdist and the wheel carry the git revision that they are made from."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

IN_PACKAGE = "epmpi/revision.txt"


class RevisionHook(BuildHookInterface):
    """Adds revision.txt to the package, which `epmpi --version` reads where there is no git."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the revision beside, for the archive alone: the checkout stays as it is."""
        if version == "editable" or (Path(self.root) / "src" / IN_PACKAGE).exists():
            return  # the checkout itself runs, and git knows; or this is an sdist, which has it
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "revision.txt"
        file.write_text(self.revision() + "\n", encoding="utf-8")
        target = IN_PACKAGE if self.target_name == "wheel" else f"src/{IN_PACKAGE}"
        build_data["force_include"][str(file)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written."""
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def revision(self) -> str:
        """Return the commit, with "-dirty" if files were changed since; "unknown" without git."""
        try:
            self.git("ls-files", "--error-unmatch", "pyproject.toml")
            changed = self.git("status", "--porcelain", "--untracked-files=no")
            return self.git("rev-parse", "HEAD") + ("-dirty" if changed else "")
        except (OSError, subprocess.SubprocessError):
            return "unknown"

    def git(self, *arguments: str) -> str:
        """Return what a git command prints."""
        command = ["git", "-C", self.root, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        return done.stdout.strip()

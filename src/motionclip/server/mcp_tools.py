"""The applications as tools of an assistant, over the Model Context Protocol (the extra ``mcp``).

The tools read and write files in one folder, and none outside it, whatever an assistant asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

import motionclip
from motionclip.applications.familiarity import familiarity
from motionclip.applications.long import is_long, shots_of
from motionclip.applications.recognize import Recognition, label_set, labels_of
from motionclip.applications.text_to_motion import Source
from motionclip.errors import FormatError, MotionClipError
from motionclip.io import check_writable, is_motion_file, motion_bytes
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion, crop, in_place, resample

_INSTRUCTIONS = """\
Makes and changes 3D human motion by words, offline. Every `file` is a name in the folder {folder}; its suffix chooses
the format: .bvh, .glb and .vrma for 3D programs, .mp4, .webp and .gif films, .png a film strip. Make a motion with
`generate`, look at it with `look`, and try another seed or plainer words if it does not do what was asked."""


@dataclass(frozen=True)
class Written:
    """A motion that was written.

    Attributes:
        file: its path.
        seconds: its length.
        frames: their number.
        fps: frames per second.
        note: what is to be known of it; empty if there is nothing.
    """

    file: str
    seconds: float
    frames: int
    fps: float
    note: str = ""


class MotionTools:
    """The tools, as methods: their names, signatures and docstrings are what an assistant is told.

    Args:
        model: from :func:`motionclip.load`.
        folder: where files are read and written.
    """

    def __init__(self, model: MotionCLIP, folder: Path):
        self._model, self._folder = model, folder.resolve()

    def generate(self, text: str, file: str, seconds: float | None = None, seed: int = 0) -> Written:
        """Makes a motion of a sentence about what one person does, such as "a person walks, then sits down".

        Args:
            text: what is done, in English, in plain words.
            file: to write.
            seconds: length; 4 for each thing that is done if not given.
            seed: another one gives another take of the same words.
        """
        self._target(file)
        if is_long(self._model, text, seconds):
            motion = motionclip.long_motion(self._model, text, seconds=seconds, seed=seed)
        else:
            motion = motionclip.text_to_motion(self._model, text, seconds=seconds, seed=seed)
        unknown = [known.note for known in familiarity(self._model, shots_of(text)) if known.note]
        return self._write(motion, file, "; ".join(unknown))

    def edit(
        self,
        base: str,
        file: str,
        minus: str | None = None,
        plus: str | None = None,
        style: str | None = None,
        strength: float = 1.0,
    ) -> Written:
        """Changes a motion: takes `minus` away and puts `plus` in its place, or does it in another `style`.

        Args:
            base: a motion file of up to 6 seconds, or words.
            file: to write.
            minus: what is taken away, such as "a person walks".
            plus: what is put in its place, such as "a person runs".
            style: in place of both: "elderly", "youthful", "tired", or words such as "like a robot".
            strength: 1 for all of the change, more to exaggerate.
        """
        self._target(file)
        source = self._source(base)
        if style is None:
            return self._write(motionclip.edit(self._model, source, minus=minus, plus=plus, strength=strength), file)
        if minus is not None or plus is not None:
            raise MotionClipError("a style with minus or plus; expected the style alone, or the others")
        return self._write(motionclip.restyle(self._model, source, style, strength=strength), file)

    def convert(
        self,
        source: str,
        file: str,
        rig: str | None = None,
        start: float = 0.0,
        end: float | None = None,
        fps: float | None = None,
        stay_in_place: bool = False,
    ) -> Written:
        """Writes a motion file in another format, on another skeleton, or a part of it.

        Args:
            source: a motion file.
            file: to write.
            rig: the skeleton to write on: blender, mixamo, unreal, unity, or a .bvh, .glb or .vrm character.
            start: first second that is kept.
            end: last second that is kept.
            fps: frames per second.
            stay_in_place: whether the path over the ground is left out.
        """
        target = self._target(file)
        loaded = None if rig is None else motionclip.load_rig(self._path(rig) if is_motion_file(rig) else rig)
        check_writable(target, loaded)
        motion = crop(motionclip.read_motion(self._path(source)), start, end)
        motion = in_place(motion) if stay_in_place else motion
        motion = motion if fps is None else resample(motion, fps)
        motionclip.write_motion(motion, target, loaded)
        return _about(motion, target)

    def recognize(self, file: str, labels: list[str] | None = None, top: int = 5) -> Recognition:
        """Tells what is done in a motion file, and when.

        Args:
            file: to read.
            labels: what to choose from, such as ["walking", "waving"]; 60 everyday actions if not given.
            top: how many guesses.
        """
        chosen = label_set("babel60") if labels is None else labels_of(labels)
        (found,) = motionclip.recognize(self._model, [motionclip.read_motion(self._path(file))], chosen, top=top)
        return found

    def look(self, file: str) -> Image:
        """Shows a motion file as a film strip: poses from left to right.

        Args:
            file: to look at.
        """
        return Image(data=motion_bytes(motionclip.read_motion(self._path(file)), ".png"), format="png")

    def _source(self, text: str) -> Source:
        return motionclip.read_motion(self._path(text)) if is_motion_file(text) else text

    def _target(self, name: str) -> Path:
        """Returns where a file is to be written, checked before long work."""
        path = self._path(name)
        check_writable(path)
        return path

    def _write(self, motion: Motion, name: str, note: str = "") -> Written:
        path = self._path(name)
        motionclip.write_motion(motion, path)
        return _about(motion, path, note)

    def _path(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise FormatError(name, "this lies outside of the folder of this server", f"a file in {self._folder}")
        return path


def _about(motion: Motion, path: Path, note: str = "") -> Written:
    return Written(str(path), round(motion.duration, 3), motion.num_frames, motion.fps, note)


def mcp_server(model: MotionCLIP, folder: Path) -> MCPServer:
    """Returns a server whose tools are those of :class:`MotionTools`; ``run()`` serves standard input and output.

    Args:
        model: from :func:`motionclip.load`.
        folder: where the tools read and write files.
    """
    tools = MotionTools(model, folder)
    server: MCPServer = MCPServer(
        "motionclip",
        instructions=_INSTRUCTIONS.format(folder=folder.resolve()),
        version=motionclip.__version__,
        log_level="WARNING",
    )
    for tool in (tools.generate, tools.edit, tools.convert, tools.recognize, tools.look):
        server.add_tool(_in_words(tool))
    return server


def _in_words(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the same tool, whose expected errors an assistant gets to read."""

    @wraps(tool)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool(*args, **kwargs)
        except MotionClipError as error:
            raise ToolError(str(error)) from error
        except OSError as error:
            raise ToolError(f"{error.filename or ''}: {error.strerror or error}") from error

    return run

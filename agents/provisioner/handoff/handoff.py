"""The stages that hand something over: the request as it was understood, the plan that terraform made, and the run that carries it out. Its
files stand beside the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.genai import types

from ..stage import Stage

if TYPE_CHECKING:
    from tools.pipeline.talk import Talk


class HandOff(Stage):
    def artifacts(self, talk: Talk) -> dict[str, types.Part]:
        from tools.pipeline.showing import files_to_show

        files = files_to_show(talk.world, talk.now)
        return {name: types.Part.from_bytes(data=content, mime_type=kind) for name, (content, kind) in files.items()}

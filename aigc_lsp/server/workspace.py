"""The workspace's folders: their index, and what the editor tells of files that are not open.

The index is loaded after `initialized`, in a thread, since it takes a tenth of a second that no editor has to wait for.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.server.client import register_with
from aigc_lsp.server.session import path_of
from aigc_lsp.server.tasks import Tasks

if TYPE_CHECKING:
    from aigc_lsp.index.judging import Judgement
    from aigc_lsp.index.workspace import Workspace
    from aigc_lsp.server.app import Server

log = logging.getLogger(__name__)


def register(server: Server) -> None:
    folders = server.folders

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        folders.change(params.event)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        folders.told(path_of(change.uri) for change in params.changes)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        folders.told([path_of(params.text_document.uri)])


async def subscribe(server: Server) -> None:
    """Ask to be told of files that others make, write and delete, where the client can."""
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    if watched is not None and watched.dynamic_registration:
        watchers = [types.FileSystemWatcher(glob_pattern="**/*")]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        await register_with(server, "aigc-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)


@dataclass(frozen=True, slots=True)
class Indexed:
    """How far the index is, for the status. `note`: what is left out and why, in a sentence or two, or ""."""

    files: int
    complete: bool
    note: str


class Folders:
    """`begin` brings the index up, `arrange` says that what it is to hold has changed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._paths: dict[str, str] = {}  # URI → absolute path
        self._served: tuple[str, ...] = ()
        self._left_out = ""
        self.workspace: Workspace | None = None
        self._is_up = asyncio.Event()
        self._is_stale = asyncio.Event()
        self._tasks = Tasks("the index of the workspace's folders")

    def take(self, params: types.InitializeParams) -> None:
        """The folders that the client begins with. One that knows of one alone has a root; none is a single file."""
        if params.workspace_folders is not None:
            self._paths = {each.uri: path_of(each.uri) for each in params.workspace_folders}
        elif params.root_uri:
            self._paths = {params.root_uri: path_of(params.root_uri)}
        elif params.root_path:
            self._paths = {params.root_path: params.root_path}

    def begin(self) -> None:
        self._tasks.spawn(self._bring_up())
        self._tasks.spawn(self._keep_arranged())

    async def close(self) -> None:
        """Nothing of it runs any more when this returns, in this process or another."""
        await self._tasks.close()
        if self.workspace is not None:
            await self.workspace.close()

    # What one may ask it

    @property
    def indexed(self) -> Indexed | None:
        """None where there is no folder to index."""
        if self.workspace is None or not (self._served or self._left_out):
            return None
        note = " ".join(filter(None, (self.workspace.note, self._left_out)))
        return Indexed(len(self.workspace), self.workspace.is_complete, note)

    @property
    def trouble(self) -> str:
        """What is not indexed and should be: a sentence or two, or ""."""
        return self.workspace.note if self.workspace is not None else ""

    def around(self, path: str) -> str | None:
        """The innermost folder of the workspace that a file is in; None where it is in none, "" where there is none."""
        path = os.path.normpath(path)
        tops = [os.path.normpath(each) for each in self._paths.values() if each]
        found = [top for top in tops if path.startswith(os.path.join(top, ""))]
        return max(found, key=len) if found else None if tops else ""

    async def judged(self, paths: Collection[str]) -> dict[str, Judgement]:
        """Which documents may be seen, by the ignore files as they are now."""
        await self._is_up.wait()
        from aigc_lsp.index.judging import judge

        config = self._server.session.config
        folders = [path for path in self._paths.values() if path]
        return await asyncio.to_thread(
            judge, paths, folders, config.context.exclude, secret_files=config.completion.in_secret_files
        )

    # What one may tell it

    def change(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        for folder in event.removed:
            self._paths.pop(folder.uri, None)
        for folder in event.added:
            self._paths[folder.uri] = path_of(folder.uri)
        self.arrange()

    def arrange(self) -> None:
        """Other folders, or other settings: what is to be indexed, and what may be seen, may be another."""
        self._is_stale.set()
        self._server.open_documents.judge_anew()

    def told(self, paths: Iterable[str]) -> None:
        """Files or folders at these absolute paths ("" for what is no file) were made, written or deleted."""
        paths = [path for path in paths if path]
        if self.workspace is not None:
            self.workspace.changed(paths)
        if any(_decides(path) for path in paths):
            self._server.open_documents.judge_anew()

    def look(self) -> None:
        """Somebody is at work: look for what nobody tells of. Cheap, and seldom anything at all."""
        if self.workspace is not None:
            self.workspace.look()

    # What it does about it

    async def _bring_up(self) -> None:
        await asyncio.to_thread(_load)
        from aigc_lsp.index.workspace import Workspace

        self.workspace = Workspace(told=self._server.status.touch)
        self._server.bring_up_gatherer(self.workspace)
        self._is_up.set()

    async def _keep_arranged(self) -> None:
        await self._is_up.wait()
        while True:
            await self._is_stale.wait()
            self._is_stale.clear()
            assert self.workspace is not None
            wanted = [path for path in self._paths.values() if path]
            self._served, self._left_out = await asyncio.to_thread(_indexable, wanted)
            await self.workspace.serve(self._served, self._server.session.config.context.exclude)
            self._server.open_documents.tell_anew()
            self._server.status.touch()


def _load() -> None:
    from aigc_lsp.index import judging, workspace  # noqa: F401 - later imports of them take no time


def _indexable(paths: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The folders that are there and no more than a project; what is said of the others."""
    home = os.path.join(os.path.realpath(os.path.expanduser("~")), "")
    served, notes = [], []
    for path in dict.fromkeys(paths):
        if home.startswith(os.path.join(os.path.realpath(path), "")):
            notes.append(f"{path} is not indexed, since your home folder is in it. Open a project's folder instead.")
            log.info("a folder with the home folder in it is not indexed")
        elif os.path.isdir(path):
            served.append(path)
    return tuple(served), " ".join(notes)


def _decides(path: str) -> bool:
    """Whether a file decides on what may be seen."""
    return os.path.basename(path) in (".aigcignore", ".gitignore") or path.endswith("/.git/info/exclude")

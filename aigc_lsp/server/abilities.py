"""What a client can do with edits, actions and diagnostics, by what it says in `initialize`."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

_BLOCKING = ("Eglot", "emacs")
"""Clients that stand still until a code action is resolved, and give up after ten seconds: eglot and lsp-mode. No
capability tells of that."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """The least that a client can do."""

    literals: bool = False
    """It takes code actions, and not commands alone."""
    resolves: bool = False
    """It has an action's edit made when the user chooses it, and can be used meanwhile."""
    applies: bool = False
    """It can be asked to apply an edit."""
    versioned: bool = False
    """Edits may name the version of the document that they are for."""
    annotated: bool = False
    """Edits may say what they are."""
    creates: bool = False
    """Edits may make files."""
    tagged: bool = False
    """Actions may be marked as done by a language model."""
    preferred: bool = False
    """Of several actions one may be marked as the best."""
    pulls: bool = False
    """It asks for diagnostics, and can be told to ask again."""


def abilities_of(params: types.InitializeParams) -> Abilities:
    document = params.capabilities.text_document or types.TextDocumentClientCapabilities()
    workspace = params.capabilities.workspace or types.WorkspaceClientCapabilities()
    action = document.code_action or types.CodeActionClientCapabilities()
    edit = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
    tags = action.tag_support.value_set if action.tag_support else ()
    resolved = action.resolve_support.properties if action.resolve_support else ()
    blocks = params.client_info is not None and params.client_info.name in _BLOCKING
    # Both stand in document changes alone: who has them (Neovim) knows these, too.
    versioned = bool(edit.document_changes or edit.resource_operations or edit.change_annotation_support)
    return Abilities(
        literals=action.code_action_literal_support is not None,
        resolves=bool(action.data_support) and "edit" in resolved and not blocks,
        applies=bool(workspace.apply_edit),
        versioned=versioned,
        annotated=edit.change_annotation_support is not None,
        creates=types.ResourceOperationKind.Create in (edit.resource_operations or ()),
        tagged=types.CodeActionTag.LlmGenerated in tags,
        preferred=bool(action.is_preferred_support),
        pulls=document.diagnostic is not None
        and workspace.diagnostics is not None
        and bool(workspace.diagnostics.refresh_support),
    )

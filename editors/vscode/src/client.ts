// The language client: what of VS Code the server sees, and what of ours it may ask for.

import * as vscode from "vscode";
import {
    LanguageClient,
    type LocationLink,
    type ProgressToken,
    State,
    type TextDocumentPositionParams,
    type WorkDoneProgressBegin,
    WorkDoneProgressCancelNotification,
    type WorkDoneProgressEnd,
    type WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type { Pages } from "./pages";
import type { Report, Status } from "./status";

type Progress = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
type Scope = "one" | "file";

export class Client extends LanguageClient {
    constructor(
        [program, ...before]: string[],
        context: vscode.ExtensionContext,
        log: vscode.LogOutputChannel,
        status: Status,
        pages: Pages,
    ) {
        const chosen = () => settings(context.extension.packageJSON);
        const progress = new Work(status, (token) =>
            this.sendNotification(WorkDoneProgressCancelNotification.type, { token }).catch(() => undefined),
        );
        super(
            "aigc",
            "aigc-lsp",
            { command: program, args: [...before, "serve"] },
            {
                // Every language: which of them it knows, the server says itself.
                documentSelector: [{ scheme: "file" }, { scheme: "untitled" }, { notebook: "*" }],
                outputChannel: log,
                middleware: {
                    workspace: {
                        configuration: ({ items }) => items.map(({ section }) => (section === "aigc" ? chosen() : null)),
                        didChangeConfiguration: () =>
                            this.sendNotification("workspace/didChangeConfiguration", { settings: { aigc: chosen() } }),
                    },
                    handleWorkDoneProgress: progress.handle,
                    // From a key or the palette they come without an argument: what is meant is the place of the cursor.
                    executeCommand: (command, given, next) => next(command, given.length ? given : [this.hereIs("one")]),
                },
            },
        );
        this.registerFeature({
            fillClientCapabilities: (capabilities) => {
                capabilities.experimental = { ...capabilities.experimental, aigc: { definitions: true, show: true } };
            },
            initialize: () => undefined,
            getState: () => ({ kind: "static" }),
            clear: () => undefined,
        });
        this.onDidChangeState(({ newState }) => newState !== State.Running && progress.end());
        this.onNotification("aigc/status", (report: Report) => status.take(report));
        this.onNotification("aigc/show", ({ title, markdown }) => pages.show(title, markdown));
        this.onRequest("aigc/definition", (params: TextDocumentPositionParams) => this.definitions(params));
    }

    /** The argument of the commands that work on the place of the cursor. */
    hereIs(scope: Scope): object | undefined {
        const editor = vscode.window.activeTextEditor;
        return (
            editor && {
                uri: this.code2ProtocolConverter.asUri(editor.document.uri),
                range: this.code2ProtocolConverter.asRange(editor.selection),
                version: editor.document.version,
                scope,
            }
        );
    }

    private async definitions({ textDocument, position }: TextDocumentPositionParams): Promise<Partial<LocationLink>[]> {
        const found: (vscode.Location | vscode.LocationLink)[] = await vscode.commands.executeCommand(
            "vscode.executeDefinitionProvider",
            this.protocol2CodeConverter.asUri(textDocument.uri),
            this.protocol2CodeConverter.asPosition(position),
        );
        return found.map((each) => {
            const [uri, range] =
                "targetUri" in each ? [each.targetUri, each.targetSelectionRange ?? each.targetRange] : [each.uri, each.range];
            const asRange = this.code2ProtocolConverter.asRange(range);
            return { targetUri: this.code2ProtocolConverter.asUri(uri), targetRange: asRange, targetSelectionRange: asRange };
        });
    }
}

/** What somebody has set, and nothing else: the user's config.toml holds for the rest, which defaults would hide. */
export function settings(manifest: any): Record<string, unknown> {
    const section = vscode.workspace.getConfiguration("aigc");
    const set: Record<string, unknown> = {};
    for (const group of manifest.contributes.configuration) {
        for (const name of Object.keys(group.properties)) {
            const key = name.slice("aigc.".length);
            const found = key.startsWith("server.") || key.startsWith("trace.") ? undefined : section.inspect(key);
            const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
            if (value !== undefined) {
                set[key] = value;
            }
        }
    }
    return set;
}

/** A model that is loaded shows in the status bar; work that may be cancelled is a notification with a button. */
class Work {
    private readonly shown = new Map<ProgressToken, (params: Progress) => void>();

    constructor(
        private readonly status: Status,
        private readonly cancel: (token: ProgressToken) => Promise<void>,
    ) {}

    readonly handle = (token: ProgressToken, params: Progress, next: (token: ProgressToken, params: Progress) => void): void => {
        if (params.kind === "begin") {
            this.begin(token, params);
        }
        this.shown.get(token)?.(params);
        if (params.kind === "end") {
            this.shown.delete(token);
            next(token, params); // the client's own record of it ends, too
        }
    };

    /** The server that would have said it is no more. */
    end(): void {
        for (const show of this.shown.values()) {
            show({ kind: "end" });
        }
        this.shown.clear();
    }

    private begin(token: ProgressToken, { title, cancellable, message }: WorkDoneProgressBegin): void {
        if (!cancellable) {
            this.shown.set(token, (params) => this.status.progress("percentage" in params ? params.percentage : undefined));
            return;
        }
        const options = { location: vscode.ProgressLocation.Notification, title, cancellable };
        void vscode.window.withProgress(options, (bar, cancelled) => {
            bar.report({ message });
            cancelled.onCancellationRequested(() => this.cancel(token));
            let done = 0;
            return new Promise<void>((resolve) => {
                this.shown.set(token, (params) => {
                    if (params.kind === "report") {
                        const now = params.percentage ?? done;
                        bar.report({ message: params.message, increment: now - done });
                        done = now;
                    } else if (params.kind === "end") {
                        resolve();
                    }
                });
            });
        });
    }
}

// The item in the status bar, its menu, and why there is no suggestion.

import * as vscode from "vscode";
import type { Client } from "./client";
import type { Pages } from "./pages";

/** `aigc/status`, see the server's status.py. */
export interface Report {
    busy: boolean;
    kind: "Normal" | "Warning" | "Error" | "Inactive";
    message: string;
    index?: { files: number; complete: boolean; note: string };
}

const ICONS = { Normal: "sparkle", Warning: "warning", Error: "error", Inactive: "circle-slash" };

export class Status {
    private readonly item = vscode.window.createStatusBarItem("aigc.status", vscode.StatusBarAlignment.Right, 100);
    private report: Report = { busy: false, kind: "Inactive", message: "" };
    private isLoading = false;
    private command = "aigc.menu";
    private percentage?: number;

    private readonly listening = [
        vscode.window.onDidChangeActiveTextEditor(() => this.draw()),
        vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("aigc") && this.draw()),
    ];

    constructor() {
        this.item.name = "aigc-lsp";
        this.item.show();
    }

    get message(): string {
        return (this.report.kind !== "Error" && turnedOff()) || this.report.message || (this.report.kind === "Normal" ? "Ready." : "");
    }

    take(report: Report): void {
        this.report = report;
        this.isLoading &&= report.kind !== "Normal";
        this.draw();
    }

    /** So much of the model is fetched or loaded; undefined once that is over. */
    progress(percentage: number | undefined): void {
        this.isLoading = percentage !== undefined;
        this.percentage = percentage;
        this.draw();
    }

    starting(): void {
        this.isLoading = true;
        this.command = "aigc.menu";
        this.take({ busy: false, kind: "Inactive", message: "Starting." });
    }

    trouble(message: string, command: string): void {
        this.isLoading = false;
        this.command = command;
        this.take({ busy: false, kind: "Error", message });
    }

    dispose(): void {
        vscode.Disposable.from(this.item, ...this.listening).dispose();
    }

    private draw(): void {
        const { busy, index } = this.report;
        const kind = this.report.kind !== "Error" && turnedOff() ? "Inactive" : this.report.kind;
        const isLoading = this.isLoading && kind !== "Error";
        const icon = isLoading || busy ? "loading~spin" : ICONS[kind];
        this.item.text = `$(${icon}) aigc` + (isLoading && this.percentage ? ` ${this.percentage} %` : "");
        this.item.command = this.command;
        this.item.backgroundColor = kind === "Error" ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
        const files = index && `${index.files} files indexed${index.complete ? "" : " so far"}. ${index.note}`;
        this.item.tooltip = ["aigc-lsp", this.message, files].filter(Boolean).join("\n\n");
        this.item.accessibilityInformation = { label: `aigc-lsp: ${kind}. ${this.message}` };
    }
}

/** The server says so, too, once it is asked for something in a file; this is known before. */
function turnedOff(): string {
    const section = vscode.workspace.getConfiguration("aigc");
    const language = vscode.window.activeTextEditor?.document.languageId ?? "";
    return section.get("enabled", true)
        ? section.get<string[]>("languagesOff", []).includes(language)
            ? `Suggestions are turned off for ${language}.`
            : ""
        : "Suggestions are turned off.";
}

export async function menu(status: Status): Promise<void> {
    const section = vscode.workspace.getConfiguration("aigc");
    const language = vscode.window.activeTextEditor?.document.languageId;
    const isOff = language !== undefined && section.get<string[]>("languagesOff", []).includes(language);
    const entry = (icon: string, label: string, command: string) => ({ label: `$(${icon}) ${label}`, command });
    const chosen = await vscode.window.showQuickPick(
        [
            entry("question", "Why is there nothing here?", "aigc.why"),
            section.get("enabled", true)
                ? entry("circle-slash", "Turn suggestions off", "aigc.toggle")
                : entry("sparkle", "Turn suggestions on", "aigc.toggle"),
            ...(language ? [entry("code", `Turn suggestions ${isOff ? "on" : "off"} for ${language}`, "aigc.toggleLanguage")] : []),
            entry("chip", "Choose the model…", "aigc.chooseModel"),
            entry("graph", "Statistics", "aigc.statistics"),
            entry("output", "Open the log", "aigc.log"),
            entry("debug-restart", "Restart", "aigc.restart"),
            entry("gear", "Settings", "aigc.settings"),
        ],
        { title: "aigc-lsp", placeHolder: status.message },
    );
    // It is the item in the status bar that was clicked, and has the keys.
    await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
    if (chosen?.command === "aigc.settings") {
        await vscode.commands.executeCommand("workbench.action.openSettings", "@ext:aigc.aigc-lsp");
    } else if (chosen) {
        await vscode.commands.executeCommand(chosen.command);
    }
}

export async function toggle(): Promise<void> {
    await change("enabled", (is: boolean) => !is, true);
}

export async function toggleLanguage(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (language) {
        const flip = (off: string[]) => (off.includes(language) ? off.filter((each) => each !== language) : [...off, language]);
        await change("languagesOff", flip, []);
    }
}

/** Where the value is set is where it is changed; else for the user. */
export async function change<T>(key: string, next: (value: T) => T, otherwise: T): Promise<void> {
    const section = vscode.workspace.getConfiguration("aigc");
    const isWorkspace = section.inspect(key)?.workspaceValue !== undefined;
    const target = isWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
    await section.update(key, next(section.get(key, otherwise)), target);
}

/** `aigc/explain`, see the server's explain.py. */
export async function why(client: Client | undefined, status: Status, pages: Pages): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const params = client?.isRunning() && uri && { textDocument: { uri: String(uri) } };
    const found = client && params ? await client.sendRequest<{ markdown: string } | null>("aigc/explain", params) : null;
    await pages.show("Why", [`**Now:** ${status.message}`, found?.markdown ?? "Nothing was asked for in this file yet."].join("\n\n"));
}

// Activation, and the commands. What is suggested, when, and what is remembered is the server's business, not ours.

import * as vscode from "vscode";
import { State } from "vscode-languageclient/node";
import { Client } from "./client";
import { find, run, setUp } from "./install";
import { Pages } from "./pages";
import { change, menu, toggle, toggleLanguage, Status, why } from "./status";

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
    const log = vscode.window.createOutputChannel("aigc-lsp", { log: true });
    const pages = new Pages();
    const status = new Status();
    context.subscriptions.push(log, pages, status);

    async function start(): Promise<void> {
        const command = find(context);
        if (command === undefined) {
            status.trouble("aigc-lsp is not installed. Click to set it up.", "aigc.setUp");
            void offerToSetUp();
            return;
        }
        log.info(`The server: ${command.join(" ")}`);
        const made = (client = new Client(command, context, log, status, pages));
        made.onDidChangeState(({ newState }) => {
            void vscode.commands.executeCommand("setContext", "aigc.running", newState === State.Running);
            if (newState === State.Stopped && client === made) {
                status.trouble("The language server has stopped. The log says why.", "aigc.menu");
            }
        });
        status.starting();
        try {
            await made.start();
        } catch (error) {
            log.error(`The server could not be started: ${error}`);
            status.trouble(`${command[0]} could not be started. The log says why.`, "aigc.menu");
        }
    }

    let turn = Promise.resolve();

    /** One restart after the other; with the model server, which all windows share, where that is wanted. */
    function restart(isWhole = false): Promise<void> {
        turn = turn.then(async () => {
            const [old, command] = [client, find(context)];
            client = undefined;
            await old?.dispose(10_000).catch((error) => log.warn(`The server did not stop: ${error}`));
            if (isWhole && command) {
                await run(command, ["stop"]).catch((error) => log.warn(String(error)));
            }
            await start();
        });
        return turn;
    }

    async function offerToSetUp(): Promise<void> {
        const said = "aigc-lsp is not on this machine yet. It can be set up in a folder of its own.";
        if ((await vscode.window.showInformationMessage(said, "Set Up", "Not Now")) === "Set Up") {
            await setUpAndStart();
        }
    }

    async function setUpAndStart(): Promise<void> {
        if (await setUp(context, log)) {
            await restart();
        }
    }

    async function chooseModel(): Promise<void> {
        const command = find(context);
        const listed = command && (await run(command, ["models", "list", "--json"]));
        const models: { name: string; configured: boolean; state: string; download_bytes: number; description: string }[] =
            JSON.parse(listed || "[]");
        const current = vscode.workspace.getConfiguration("aigc").get("model") || models.find((each) => each.configured)?.name;
        const chosen = await vscode.window.showQuickPick(
            models.map(({ name, state, download_bytes, description }) => ({
                label: name,
                iconPath: new vscode.ThemeIcon(name === current ? "check" : "blank"),
                description: state === "absent" ? `to be fetched, ${Math.round(download_bytes / 1e6)} MB` : "on this machine",
                detail: description,
            })),
            { title: "The model that completes your code", matchOnDetail: true },
        );
        if (chosen) {
            await change("model", () => chosen.label, "");
        }
    }

    async function statistics(): Promise<void> {
        const command = find(context);
        const said = command && (await run(command, ["stats", "--json"]));
        const [headings, ...rows]: string[][] = said ? JSON.parse(said).table : [[]];
        // A column for each language: a page beside the code is narrow.
        const lines = headings.map((heading, at) => `| ${[heading, ...rows.map((row) => row[at])].join(" | ")} |`);
        lines.splice(1, 0, "|---".repeat(rows.length + 1) + "|");
        await pages.show("Statistics", rows.length > 0 ? lines.join("\n") : "Nothing has been counted yet.");
    }

    /** What a command could not do is said; it is never an unhandled error. */
    function command(name: string, action: () => unknown): void {
        const safe = async () => {
            try {
                return await action();
            } catch (error) {
                log.error(`${name}: ${error}`);
                void vscode.window.showErrorMessage(`aigc-lsp: ${error instanceof Error ? error.message : error}`);
            }
        };
        context.subscriptions.push(vscode.commands.registerCommand(name, safe));
    }
    command("aigc.menu", () => menu(status));
    command("aigc.toggle", toggle);
    command("aigc.toggleLanguage", toggleLanguage);
    command("aigc.chooseModel", chooseModel);
    command("aigc.restart", () => restart(true));
    command("aigc.log", () => log.show());
    command("aigc.statistics", statistics);
    command("aigc.why", () => why(client, status, pages));
    command("aigc.setUp", setUpAndStart);
    command("aigc.writeDocstrings", () =>
        vscode.commands.executeCommand("aigc.writeDocstring", client?.hereIs("file")),
    );

    context.subscriptions.push(
        vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("aigc.server") && restart()),
    );
    await restart();
}

export async function deactivate(): Promise<void> {
    await client?.dispose();
}

// Which program the server is; and, where there is none, setting one up in a folder of our own.

import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const WINDOWS = process.platform === "win32";
const PROGRAM = WINDOWS ? "aigc-lsp.exe" : "aigc-lsp";

/** The command `aigc-lsp`: the setting; else the one on PATH; else ours. */
export function find(context: vscode.ExtensionContext): string[] | undefined {
    const set = vscode.workspace.getConfiguration("aigc").get<string[]>("server.command", []);
    if (set.length > 0) {
        return set;
    }
    const folders = (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);
    const found = [...folders, binaries(context)].map((folder) => path.join(folder, PROGRAM)).find((file) => fs.existsSync(file));
    return found ? [found] : undefined;
}

/** What `command` prints, given `args`. Rejects where it fails, with what it says itself. */
export async function run([program, ...before]: string[], args: string[]): Promise<string> {
    try {
        return (await promisify(execFile)(program, [...before, ...args], { timeout: 60_000 })).stdout;
    } catch (error) {
        throw new Error((error as { stderr?: string }).stderr?.trim() || String(error));
    }
}

/** A virtual environment in this extension's storage, with the server that came with it; whether it is there now. */
export async function setUp(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Promise<boolean> {
    const shipped = path.join(context.extensionPath, "server");
    const wheel = fs.existsSync(shipped) && fs.readdirSync(shipped).find((name) => name.endsWith(".whl"));
    const python = await aPython();
    if (!wheel || !python) {
        const lacking = wheel ? "There is no Python 3.11 or newer on PATH" : "This build of the extension holds no server";
        void vscode.window.showErrorMessage(`${lacking}. Install aigc-lsp yourself, or set aigc.server.command.`);
        return false;
    }
    const options = {
        location: vscode.ProgressLocation.Notification,
        title: "Setting up aigc-lsp (PyTorch is large; this takes minutes)",
        cancellable: true,
    };
    return vscode.window.withProgress(options, async (progress, token) => {
        const say = (line: string) => {
            log.info(line);
            progress.report({ message: line.slice(0, 100) });
        };
        const more = vscode.workspace.getConfiguration("aigc").get<string[]>("server.pipArguments", []);
        try {
            fs.rmSync(context.globalStorageUri.fsPath, { recursive: true, force: true }); // an earlier version's
            await follow([...python, "-m", "venv", environment(context)], say, token);
            const pip = [path.join(binaries(context), WINDOWS ? "python.exe" : "python"), "-m", "pip", "install"];
            await follow([...pip, "--progress-bar=off", ...more, path.join(shipped, wheel)], say, token);
            return true;
        } catch (error) {
            fs.rmSync(environment(context), { recursive: true, force: true });
            if (!token.isCancellationRequested) {
                log.error(String(error));
                const answer = vscode.window.showErrorMessage("aigc-lsp could not be set up. The log says why.", "Open Log");
                void answer.then((chosen) => chosen && log.show());
            }
            return false;
        }
    });
}

/** Of this version of the extension alone: after an update another is offered. */
function environment(context: vscode.ExtensionContext): string {
    return path.join(context.globalStorageUri.fsPath, `server-${context.extension.packageJSON.version}`);
}

function binaries(context: vscode.ExtensionContext): string {
    return path.join(environment(context), WINDOWS ? "Scripts" : "bin");
}

async function aPython(): Promise<string[] | undefined> {
    const check = ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))"];
    for (const python of [["python3"], ["python"], ["py", "-3"]]) {
        try {
            await run(python, check);
            return python;
        } catch {
            // the next one
        }
    }
    return undefined;
}

/** Run to the end, each line of its output handed to `say`. Rejects where it fails or is cancelled. */
function follow([program, ...args]: string[], say: (line: string) => void, token: vscode.CancellationToken): Promise<void> {
    return new Promise((resolve, reject) => {
        const running = spawn(program, args, { env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1" } });
        const cancelling = token.onCancellationRequested(() => running.kill());
        for (const stream of [running.stdout, running.stderr]) {
            stream.on("data", (data) => String(data).split(/\r?\n/).filter((line) => line.trim()).forEach(say));
        }
        running.on("error", reject);
        running.on("close", (code) => {
            cancelling.dispose();
            code === 0 ? resolve() : reject(new Error(`${program} ${args.slice(0, 3).join(" ")} ended with ${code}`));
        });
    });
}

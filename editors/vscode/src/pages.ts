// What is to be read and not inserted: rendered Markdown beside the code, where the keys stay.

import * as vscode from "vscode";

// Nothing of what a model has written is run or fetched.
const HEAD = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
    pre, code { font-family: var(--vscode-editor-font-family); white-space: pre-wrap; }
    pre { background: var(--vscode-textCodeBlock-background); padding: 8px; }
    pre code { background: none; padding: 0; }
    th, td { padding: 3px 12px; text-align: left; }
</style>`;

export class Pages {
    private panel?: vscode.WebviewPanel;

    async show(title: string, markdown: string): Promise<void> {
        const body = await vscode.commands.executeCommand<string>("markdown.api.render", `# ${title}\n\n${markdown}`);
        if (!this.panel) {
            const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
            this.panel = vscode.window.createWebviewPanel("aigc.page", title, beside);
            this.panel.onDidDispose(() => (this.panel = undefined));
        }
        this.panel.title = title;
        this.panel.webview.html = HEAD + body;
        this.panel.reveal(undefined, true);
    }

    dispose(): void {
        this.panel?.dispose();
    }
}

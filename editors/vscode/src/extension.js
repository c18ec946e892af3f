"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const SECTION = "atpdsl";

let client;

/** The command of the settings, with the folder of the workspace filled in. */
function serverCommand() {
  const settings = vscode.workspace.getConfiguration(SECTION);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const fill = (text) => text.replaceAll("${workspaceFolder}", folder);
  return {
    command: fill(settings.get("server.command", "atpdsl")),
    args: settings.get("server.arguments", ["lsp"]).map(fill),
  };
}

async function start() {
  if (!vscode.workspace.isTrusted) {
    return;
  }
  const { command, args } = serverCommand();
  const server = { command, args, transport: TransportKind.stdio };
  client = new LanguageClient(SECTION, "atpdsl", server, {
    documentSelector: [
      { scheme: "file", language: "atp" },
      { scheme: "untitled", language: "atp" },
    ],
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const choice = await vscode.window.showErrorMessage(
      `atpdsl: \`${command} ${args.join(" ")}\` could not be started (${error.message}). ` +
        "Install it with `pip install 'atpdsl[lsp]'`, or say where it is.",
      "Open Settings",
    );
    if (choice) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "atpdsl.server");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("atpdsl.restartServer", restart),
    vscode.workspace.onDidGrantWorkspaceTrust(start),
    vscode.workspace.onDidChangeConfiguration((event) =>
      event.affectsConfiguration("atpdsl.server") ? restart() : undefined,
    ),
  );
  await start();
}

module.exports = { activate, deactivate: stop };

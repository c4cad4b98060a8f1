/** `sluice fileset ...`: what there is, and what becomes of it. */
import type { Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { durationMilliseconds } from "../option-values.ts";

export interface ShowOptions extends ControllerOptions {
  readonly files?: boolean;
}

export interface ActivateOptions extends ControllerOptions {
  readonly wait?: boolean;
  readonly timeout?: number;
}

export interface RemoveOptions extends ControllerOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function registerFileSet(program: Command): void {
  const fileSet = program.command("fileset").description("list, show, remove, activate, pause and resume file sets");

  const list = withControllerOptions(fileSet.command("ls"))
    .description("list all versions of all file sets, or of one")
    .argument("[name]", "name of a file set")
    .action(async (name: string | undefined, options: ControllerOptions) =>
      (await actions()).listFileSets(name, options),
    );
  helpWithExamples(list, ["sluice fileset ls", "sluice fileset ls index --json"]);

  const show = withControllerOptions(fileSet.command("show"))
    .description("show a version: what it is, and how far each agent is with it")
    .argument("<name>", "name of a file set")
    .argument("[version]", "its version; the active one, else the newest, when left out")
    .option("--files", "list its files too")
    .action(async (name: string, version: string | undefined, options: ShowOptions) =>
      (await actions()).showFileSet(name, version, options),
    );
  helpWithExamples(show, ["sluice fileset show index", "sluice fileset show index 42 --files"]);

  const remove = withControllerOptions(fileSet.command("rm"))
    .description("remove a version; agents delete what they hold of it")
    .argument("<name>", "name of a file set")
    .argument("<version>", "its version")
    .option("--force", "even if it is the active version")
    .option("--dry-run", "only say what agents would delete")
    .action(async (name: string, version: string, options: RemoveOptions) =>
      (await actions()).removeFileSet(name, version, options),
    );
  helpWithExamples(remove, ["sluice fileset rm index 41 --dry-run", "sluice fileset rm index 41"]);

  const activate = withControllerOptions(fileSet.command("activate"))
    .description("point `current` to a version, on each agent as soon as it holds all of it")
    .argument("<name>", "name of a file set")
    .argument("<version>", "its version; one that agents still hold needs no transfer")
    .option("--wait", "end when every target holds it and uses it")
    .option("--timeout <duration>", "with --wait: how long to wait for targets", durationMilliseconds)
    .action(async (name: string, version: string, options: ActivateOptions) =>
      (await actions()).activateFileSet(name, version, options),
    );
  helpWithExamples(activate, [
    "sluice fileset activate index 41",
    "sluice fileset activate index 41 --wait --timeout 5m",
  ]);

  const pause = withControllerOptions(fileSet.command("pause"))
    .description("start no more transfers of a file set, or of one version of it")
    .argument("<name>", "name of a file set")
    .argument("[version]", "its version")
    .action(async (name: string, version: string | undefined, options: ControllerOptions) =>
      (await actions()).setFileSetPaused(name, version, true, options),
    );
  helpWithExamples(pause, ["sluice fileset pause index", "sluice fileset pause index 42"]);

  const resume = withControllerOptions(fileSet.command("resume"))
    .description("go on with what was paused")
    .argument("<name>", "name of a file set")
    .argument("[version]", "its version")
    .action(async (name: string, version: string | undefined, options: ControllerOptions) =>
      (await actions()).setFileSetPaused(name, version, false, options),
    );
  helpWithExamples(resume, ["sluice fileset resume index", "sluice fileset resume index 42"]);
}

const actions = async () => import("./fileset-actions.ts");

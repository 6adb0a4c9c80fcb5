import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildEnvironment, type Dockerd, startDockerd } from "#test/setup/docker.ts";
import { canMakeBoards, startTestBoard, type TestBoard } from "#test/setup/test-boards.ts";
import { launchBrowser, type Watch, watchContext, whyNoBrowser } from "./browser.ts";
import { recordedRuns } from "./figures.ts";
import { type ServedLab, serveLab } from "./served-lab.ts";
import { until } from "./until.ts";

const why = whyNoBrowser ?? canMakeBoards();
const LONG_MS = 300_000;

/** A researcher with two boards: typed once, one fingerprint, one password each; each test goes on where the last ended. */
describe.skipIf(why !== undefined)(
  `boards are added, set up, trained on and cleaned up by clicks${why ? ` (skipped: ${why})` : ""}`,
  () => {
    let engine: Dockerd;
    let boards: Record<"kitchen" | "attic", TestBoard>;
    let browser: Browser;
    let page: Page;
    let watch: Watch;
    let lab: ServedLab;

    beforeAll(async () => {
      engine = await startDockerd();
      await engine.loadBase();
      // As on a board that had an older client: what the build takes from the network is there.
      const older = await engine.loadClient();
      await engine.docker("tag", older, "fedfleet-client:pi-000000000000");
      await engine.docker("rmi", older);
      boards = { kitchen: await startTestBoard({ engine }), attic: await startTestBoard({ engine }) };
      const { extraCa } = buildEnvironment();
      if (extraCa !== undefined) process.env.FEDFLEET_EXTRA_CA = extraCa;
      browser = await launchBrowser();
      lab = await serveLab();
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      context.setDefaultTimeout(20_000);
      watch = watchContext(context);
      page = await context.newPage();
      await page.goto(lab.url);
    }, LONG_MS);
    afterAll(async () => {
      await browser?.close();
      await lab?.remove();
      await boards?.attic.close();
      await boards?.kitchen.close();
      await engine?.close();
    }, 60_000);

    const click = (name: string | RegExp) =>
      page.getByRole("button", { name, ...(typeof name === "string" ? { exact: true } : {}) }).click();
    const goTo = (name: string) =>
      page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true }).click();
    const row = (name: string) => page.getByRole("row").filter({ hasText: name });
    const dialog = () => page.getByRole("dialog", { name: "Add a board" });

    const askForBoard = async (): Promise<void> => {
      await click("Add device");
      await page.getByRole("menuitem", { name: /^A board over SSH/ }).click();
    };
    const addBoard = async (name: "kitchen" | "attic"): Promise<void> => {
      const { target, sshd, password } = boards[name];
      await dialog().getByLabel("Address").fill(`${target.user}@${target.host}:${target.port}`);
      await dialog().getByRole("button", { name: "Continue" }).click();
      await dialog().getByText(sshd.fingerprint).waitFor();
      await dialog().getByRole("button", { name: "It matches: trust it" }).click();
      await dialog().getByLabel(`Password for ${target.user}`).fill(password);
      await dialog().getByRole("textbox", { name: "Name" }).fill(name);
      await dialog()
        .getByRole("button", { name: `Add ${name}` })
        .click();
      await dialog()
        .getByRole("heading", { name: `${name} is in the fleet` })
        .waitFor();
      await dialog().getByRole("button", { name: "Set up", exact: true }).click();
      await dialog()
        .getByRole("heading", { name: `${name} is ready` })
        .waitFor({ timeout: LONG_MS });
      await dialog().getByRole("button", { name: "Done" }).click();
      await dialog().waitFor({ state: "hidden" });
    };

    test(
      "an address, a fingerprint, a password: the image is built, the board is ready",
      async () => {
        await goTo("Fleet");
        await click("Add a board");
        await addBoard("kitchen");
        await row("kitchen").getByText("ready", { exact: true }).waitFor();
        expect(await engine.docker("images", "--quiet", "fedfleet-client")).not.toBe("");
        const keys = join(boards.kitchen.account.home, ".ssh", "authorized_keys");
        expect(readFileSync(keys, "utf8")).toContain("ssh-ed25519");
        await askForBoard();
        await addBoard("attic");
        await row("attic").getByText("ready", { exact: true }).waitFor();
        expect(watch.problems).toEqual([]);
      },
      LONG_MS,
    );

    test(
      "a wrong password is named, and so is a changed key",
      async () => {
        const { target, sshd } = boards.attic;
        await askForBoard();
        await dialog().getByLabel("Address").fill(`${target.user}@${target.host}:${target.port}`);
        await dialog().getByRole("button", { name: "Continue" }).click();
        await dialog().getByLabel(`Password for ${target.user}`).fill("not this one");
        await dialog().getByRole("textbox", { name: "Name" }).fill("cellar");
        await dialog().getByRole("button", { name: "Add cellar" }).click();
        await dialog()
          .getByText(/password was not accepted/)
          .waitFor();
        await dialog().getByRole("button", { name: "Close" }).click();
        await dialog().waitFor({ state: "hidden" });
        expect(await row("cellar").count()).toBe(0);

        await sshd.replaceHostKey();
        await sshd.killSessions();
        await row("attic").getByText("needs attention").waitFor({ timeout: 30_000 });
        await row("attic").getByRole("link", { name: "attic", exact: true }).click();
        await page
          .getByText(/shows a different key/)
          .first()
          .waitFor();
        await click("Compare keys");
        const replace = page.getByRole("dialog", { name: "Replace the key of attic" });
        await replace.getByText(sshd.fingerprint).waitFor();
        await replace.getByRole("textbox").fill("attic");
        await replace.getByRole("button", { name: "Replace the key" }).click();
        await replace.waitFor({ state: "hidden" });
        await page.locator("header").getByText("ready", { exact: true }).waitFor({ timeout: 30_000 });
        expect(watch.problems).toEqual([]);
      },
      LONG_MS,
    );

    test(
      "two boards and two virtual devices in one study, to its table",
      async () => {
        await goTo("Studies");
        await click("New study");
        await click(/^Quick look/);
        await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("boards too");
        await page.getByRole("textbox", { name: /^Number of devices/ }).fill("2");
        await click(/^Select all 2 ready boards/);
        await page.getByRole("textbox", { name: "Rounds", exact: true }).fill("3");
        await page.getByRole("textbox", { name: /^Share drawn/ }).fill("1");
        await page.getByText("2 boards ready over SSH.").waitFor();
        await click("Start study");
        await page.waitForURL(/#\/studies\/s-/);
        const study = page.url().split("/").at(-1)!;
        const done = page.locator("header").getByText(/^\W?Done$/);
        await until("the study is done", async () => await done.isVisible(), LONG_MS);
        const runs = recordedRuns(lab.dataDir, study);
        expect(runs.map(({ algorithm }) => algorithm)).toEqual(["fedavg", "fedntd"]);
        for (const run of runs) expect(run.points.map(({ round }) => round)).toEqual([0, 1, 2, 3]);
        expect(await boards.kitchen.containers()).toEqual([]);
        // What the client printed, and its rounds, are on the board's page.
        await goTo("Fleet");
        await row("kitchen").getByRole("link", { name: "kitchen", exact: true }).click();
        await page.getByPlaceholder("Search the log").fill('"event": "fit"');
        await page
          .getByText(/"event": "fit".*"examples"/)
          .first()
          .waitFor();
        await page.getByRole("link", { name: "boards too" }).first().waitFor();
        expect(watch.problems).toEqual([]);
      },
      LONG_MS * 2,
    );

    test(
      "taken off the list, a board has nothing of the lab any more",
      async () => {
        for (const name of ["kitchen", "attic"] as const) {
          await goTo("Fleet");
          await row(name).getByRole("link", { name, exact: true }).click();
          await click("Remove: Fleet");
          const confirm = page.getByRole("dialog", { name: `Remove ${name} from the fleet?` });
          await confirm.getByRole("button", { name: "Remove", exact: true }).click();
          await confirm.waitFor({ state: "hidden", timeout: 60_000 });
          await until("it is gone from the fleet", async () => (await row(name).count()) === 0);
          const { account } = boards[name];
          expect(existsSync(join(account.home, ".fedfleet"))).toBe(false);
          expect(readFileSync(join(account.home, ".ssh", "authorized_keys"), "utf8")).not.toContain(
            "fedfleet",
          );
        }
        expect(await boards.kitchen.containers()).toEqual([]);
        expect(watch.problems).toEqual([]);
      },
      LONG_MS,
    );
  },
);

import { expect, test } from "vitest";
import { createWish } from "#main/runs/wish.ts";

test("a wish is granted once, and may be made again", () => {
  const wish = createWish();
  expect(wish.isMade).toBe(false);
  wish.make();
  wish.make();
  expect(wish.isMade).toBe(true);
  wish.grant();
  expect(wish.isMade).toBe(false);
  wish.make();
  expect(wish.isMade).toBe(true);
});

test("those who listen hear of it, as long as they do", () => {
  const wish = createWish();
  const heard: string[] = [];
  const leave = wish.onMade(() => heard.push("a"));
  wish.onMade(() => heard.push("b"));
  wish.make();
  leave();
  wish.make();
  expect(heard).toEqual(["a", "b", "b"]);
});

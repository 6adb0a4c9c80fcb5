import { expect, test } from "vitest";
import { createUserRequest } from "#main/runs/user-request.ts";

test("a request is granted once, and can be made again", () => {
  const request = createUserRequest();
  expect(request.isMade).toBe(false);
  request.make();
  request.make();
  expect(request.isMade).toBe(true);
  request.grant();
  expect(request.isMade).toBe(false);
  request.make();
  expect(request.isMade).toBe(true);
});

test("listeners hear of it until they unsubscribe", () => {
  const request = createUserRequest();
  const heard: string[] = [];
  const leave = request.onMade(() => heard.push("a"));
  request.onMade(() => heard.push("b"));
  request.make();
  leave();
  request.make();
  expect(heard).toEqual(["a", "b", "b"]);
});

import { expect, test } from "vitest";
import { messageOf } from "#renderer/state/message-of.ts";

test("errors of the transport are told in words, those of the lab as they are", () => {
  expect(messageOf(new Error("There is no board called pi."))).toBe("There is no board called pi.");
  expect(messageOf(new Error("Internal server error"))).toMatch(/^The lab ran into an internal error/);
  expect(messageOf(Object.assign(new Error("x"), { name: "AbortError" }))).toMatch(/^The connection/);
  expect(messageOf("plain")).toBe("plain");
});

test("values that the contract refuses are told with what the schema says, not as a failed validation", () => {
  const refused = (data: unknown) => Object.assign(new Error("Input validation failed"), { data });
  expect(messageOf(refused({ issues: [{ message: "Too long" }] }))).toBe(
    "The lab could not accept these values: Too long. Check the fields and try again.",
  );
  for (const data of [undefined, null, {}, { issues: "none" }, { issues: [{}] }])
    expect(messageOf(refused(data))).toBe(
      "The lab could not accept these values. Check the fields and try again.",
    );
});

import { describe, expect, it } from "vitest";
import { readAddress, writeAddress } from "#renderer/screens/compare/address.ts";
import { splitHash } from "#renderer/ui/split-hash.ts";

describe("the address of a comparison", () => {
  it.each([
    "/compare?studies=s-1,s-2",
    "/compare?runs=r-1&at=last5",
    "/compare?studies=s-1&runs=r-7,r-8&at=12&metric=loss&export=1",
    "/compare?studies=s-1&at=best",
    "/compare",
  ])("%s says all that there is to say", (address) => {
    expect(writeAddress(readAddress(splitHash(`#${address}`).search))).toBe(address);
  });

  it.each(["0", "-1", "1.5", "100001", "first", "", "1e9", "NaN"])("at=%s is the last round", (at) => {
    expect(readAddress(`studies=a&at=${at}`).at).toBe("last");
  });

  it("names nothing twice, nothing empty, nothing longer than an id", () => {
    const { studies, runs } = readAddress(`studies=a,,b,a&runs=${"x".repeat(65)},r`);
    expect(studies).toEqual(["a", "b"]);
    expect(runs).toEqual(["r"]);
  });

  it("takes ids as they are", () => {
    const written = writeAddress({ ...readAddress(""), studies: ["a&b=c", "d e"] });
    expect(readAddress(splitHash(`#${written}`).search).studies).toEqual(["a&b=c", "d e"]);
  });
});

describe("the part behind the #", () => {
  it.each([
    ["#/compare?studies=a", { path: "/compare", search: "studies=a" }],
    ["#/", { path: "/", search: "" }],
    ["", { path: "/", search: "" }],
    ["#compare?a=b?c", { path: "/compare", search: "a=b?c" }],
  ])("%s", (hash, parts) => {
    expect(splitHash(hash)).toEqual(parts);
  });
});
